#include "core/table_waiter.h"

#include <utility>

namespace pipewright {

namespace {

constexpr uint64_t kFirstWait = 50;  // Milliseconds.
constexpr uint64_t kNextWait = 500;

}  // namespace

TableWaiter::TableWaiter(Environment* environment, std::function<void()> retry)
    : environment_(environment),
      retry_(std::move(retry)),
      timer_(environment, [this] { OnTimer(); }) {}

void TableWaiter::Wait(bool keeps_loop_alive) {
  keeps_loop_alive_ = keeps_loop_alive;
  if (!is_waiting_) environment_->AddWaiter(this);
  is_waiting_ = true;
  timer_.StartBy(has_waited() ? kNextWait : kFirstWait, keeps_loop_alive);
  ++attempts_;
}

void TableWaiter::Stop() {
  if (!is_waiting_) return;
  is_waiting_ = false;
  environment_->RemoveWaiter(this);
  timer_.Stop();
}

void TableWaiter::Close() {
  Stop();
  timer_.Close();
}

// Retries in the next turn, since this turn may close more descriptors.
void TableWaiter::OnDescriptorClosed() { timer_.StartBy(0, keeps_loop_alive_); }

void TableWaiter::OnTimer() {
  Stop();
  retry_();
}

}  // namespace pipewright
