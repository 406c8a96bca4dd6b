// Room in a table of descriptors that a primary has in common with its workers, which are threads.
// A connection that is accepted takes one place at once, and another when its worker takes it. If
// the primary accepted until the table is full, no worker could take any, and nothing would ever
// make room.

#ifndef PIPEWRIGHT_SRC_CLUSTER_SHARED_TABLE_H_
#define PIPEWRIGHT_SRC_CLUSTER_SHARED_TABLE_H_

#include <cstddef>
#include <functional>

#include "core/environment.h"
#include "core/table_waiter.h"

namespace pipewright {

class SharedTable {
 public:
  // `on_room` is called some time after HasRoom() has returned false: there may be room again.
  SharedTable(Environment* environment, std::function<void()> on_room)
      : waiter_(environment, std::move(on_room)) {}

  // Reports whether one more connection may be accepted. `promised` is the number of those that
  // were accepted and that no worker has taken. Counting the open descriptors takes a system call,
  // so this does not do it each time.
  bool HasRoom(size_t promised);

  void Close() { waiter_.Close(); }

 private:
  TableWaiter waiter_;
  size_t allowance_ = 0;  // Connections that may be accepted before the next count.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_SHARED_TABLE_H_
