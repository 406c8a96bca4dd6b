#include "cluster/schedule.h"

#include <algorithm>

namespace pipewright {

bool Schedule::FindKind(const std::string& name, Kind* out) {
  static constexpr struct {
    const char* name;
    Kind kind;
  } kKinds[] = {{"round-robin", Kind::kRoundRobin},
                {"least-connections", Kind::kLeastConnections},
                {"sticky", Kind::kSticky},
                {"shared", Kind::kShared},
                {"function", Kind::kFunction}};
  for (const auto& known : kKinds) {
    if (name != known.name) continue;
    *out = known.kind;
    return true;
  }
  return false;
}

bool Schedule::Remove(ConnectionSender* sender) {
  const auto place = std::find(senders_.begin(), senders_.end(), sender);
  if (place == senders_.end()) return false;
  const auto index = static_cast<size_t>(place - senders_.begin());
  senders_.erase(place);
  if (index < next_) --next_;
  return true;
}

bool Schedule::HasRoom() const {
  return std::any_of(senders_.begin(), senders_.end(),
                     [](const ConnectionSender* sender) { return sender->HasRoom(); });
}

ConnectionSender* Schedule::Choose(const Connection& connection) {
  ConnectionSender* own = nullptr;
  if (kind_ == Kind::kSticky) own = OwnerOf(connection.client);
  if (connection.slot != kAnySlot) own = InSlot(connection.slot);
  if (own == nullptr) return ChooseAny();
  return own->HasRoom() ? own : nullptr;
}

// Goes round. With least connections the turn decides between equals.
ConnectionSender* Schedule::ChooseAny() {
  ConnectionSender* chosen = nullptr;
  const size_t count = senders_.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t index = (next_ + i) % count;
    ConnectionSender* candidate = senders_[index];
    if (!candidate->HasRoom()) continue;
    if (chosen != nullptr && candidate->active() >= chosen->active()) continue;
    chosen = candidate;
    if (kind_ != Kind::kLeastConnections) {
      next_ = (index + 1) % count;
      return chosen;
    }
  }
  if (count > 0) next_ = (next_ + 1) % count;
  return chosen;
}

// Of two in one slot the later is the successor.
ConnectionSender* Schedule::OwnerOf(uint64_t client) const {
  ConnectionSender* owner = nullptr;
  uint64_t highest = 0;
  for (ConnectionSender* sender : senders_) {
    const uint64_t affinity = Affinity(client, sender->slot());
    if (!sender->is_available() || affinity < highest) continue;
    owner = sender;
    highest = affinity;
  }
  return owner;
}

ConnectionSender* Schedule::InSlot(int32_t slot) const {
  ConnectionSender* found = nullptr;
  for (ConnectionSender* sender : senders_) {
    if (sender->is_available() && static_cast<int32_t>(sender->slot()) == slot) found = sender;
  }
  return found;
}

}  // namespace pipewright
