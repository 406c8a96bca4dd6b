// Chooses the worker that gets a connection.

#ifndef PIPEWRIGHT_SRC_CLUSTER_SCHEDULE_H_
#define PIPEWRIGHT_SRC_CLUSTER_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/client.h"
#include "cluster/connection_sender.h"

namespace pipewright {

class Schedule {
 public:
  enum class Kind {
    kRoundRobin,
    kLeastConnections,
    kSticky,    // By Connection::client.
    kShared,    // Nothing is sent: the workers accept by themselves.
    kFunction,  // By Connection::slot, which JavaScript has chosen.
  };

  // Returns false if no kind has that name.
  static bool FindKind(const std::string& name, Kind* out);

  void set_kind(Kind kind) { kind_ = kind; }
  Kind kind() const { return kind_; }
  // Reports whether a connection may have to wait for one worker while others have room.
  bool is_bound() const { return kind_ != Kind::kRoundRobin && kind_ != Kind::kLeastConnections; }

  const std::vector<ConnectionSender*>& senders() const { return senders_; }
  void Add(ConnectionSender* sender) { senders_.push_back(sender); }
  // Reports whether it was there.
  bool Remove(ConnectionSender* sender);
  void Clear() { senders_.clear(); }
  bool HasRoom() const;
  // The worker in that place that takes connections; nullptr if there is none.
  ConnectionSender* InSlot(int32_t slot) const;

  // Returns nullptr if the connection has to wait. A connection waits for its own worker until
  // that one has room; without a worker of its own it goes to any.
  ConnectionSender* Choose(const Connection& connection);

 private:
  ConnectionSender* ChooseAny();
  ConnectionSender* OwnerOf(uint64_t client) const;

  Kind kind_ = Kind::kRoundRobin;
  std::vector<ConnectionSender*> senders_;
  size_t next_ = 0;  // In senders_: whose turn it is.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_SCHEDULE_H_
