#include "cluster/first_bytes.h"

#include <sys/epoll.h>

#include <cerrno>
#include <iterator>
#include <utility>

namespace pipewright {

int FirstBytes::Open() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  return epoll_.is_valid() ? 0 : -errno;
}

void FirstBytes::Close() {
  timer_.Close();
  places_.clear();
  waiting_.clear();
  epoll_.Reset();
}

void FirstBytes::Wait(Connection connection) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u32 = connection.id;
  // The kernel limits how many may be watched. What cannot be watched does not wait.
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event) != 0) {
    return on_out_(std::move(connection));
  }
  connection.since = Now();
  waiting_.push_back(std::move(connection));
  places_[waiting_.back().id] = std::prev(waiting_.end());
  if (timeout_ > 0) timer_.StartBy(timeout_, false);
}

void FirstBytes::OnReadable() {
  constexpr int kMost = 64;
  epoll_event events[kMost];
  const int count = epoll_wait(epoll_.get(), events, kMost, 0);
  for (int i = 0; i < count; ++i) {
    const auto found = places_.find(events[i].data.u32);
    if (found != places_.end()) Release(found->second);
  }
}

void FirstBytes::ReleaseOldest() {
  if (!waiting_.empty()) Release(waiting_.begin());
}

void FirstBytes::ReleaseOf(uint32_t listener) {
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    const auto next = std::next(place);
    if (((place->listener ^ listener) & kListenerNumber) == 0) Release(place);
    place = next;
  }
}

std::list<Connection> FirstBytes::TakeAll() {
  for (const Connection& connection : waiting_) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
  }
  places_.clear();
  return std::exchange(waiting_, {});
}

// The descriptor leaves the set before another process gets a copy: a closed descriptor stays
// in the set as long as there is a copy.
void FirstBytes::Release(Waiting::iterator place) {
  Connection connection = std::move(*place);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
  places_.erase(connection.id);
  waiting_.erase(place);
  on_out_(std::move(connection));
}

void FirstBytes::ReleaseLate() {
  const uint64_t now = Now();
  while (!waiting_.empty() && now - waiting_.front().since >= timeout_) Release(waiting_.begin());
  if (!waiting_.empty()) timer_.StartBy(waiting_.front().since + timeout_ - now, false);
}

}  // namespace pipewright
