// Retries what failed because the table of descriptors was full or memory was out. The
// owner stops its work and calls Wait(). `retry` runs after 50 ms, then each 500 ms, and
// at once when this thread closes a descriptor.

#ifndef PIPEWRIGHT_SRC_CORE_TABLE_WAITER_H_
#define PIPEWRIGHT_SRC_CORE_TABLE_WAITER_H_

#include <functional>

#include "core/environment.h"
#include "core/loop_timer.h"

namespace pipewright {

class TableWaiter : private DescriptorWaiter {
 public:
  TableWaiter(Environment* environment, std::function<void()> retry);
  ~TableWaiter() { Stop(); }
  TableWaiter(const TableWaiter&) = delete;
  TableWaiter& operator=(const TableWaiter&) = delete;

  bool is_waiting() const { return is_waiting_; }
  // Reports whether it has waited since the last Succeeded().
  bool has_waited() const { return attempts_ > 0; }

  // `keeps_loop_alive`: true if the stopped handle of the owner would keep the loop alive.
  void Wait(bool keeps_loop_alive);
  // Records that there was room: the next wait is a short one again.
  void Succeeded() { attempts_ = 0; }
  void Stop();
  // Stops for good.
  void Close();

 private:
  void OnDescriptorClosed() override;
  void OnTimer();

  Environment* environment_;
  std::function<void()> retry_;
  LoopTimer timer_;
  bool keeps_loop_alive_ = true;
  bool is_waiting_ = false;
  int attempts_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_TABLE_WAITER_H_
