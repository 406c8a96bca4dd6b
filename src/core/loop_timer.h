// A timer of the loop that may be destroyed at any time. Its uv_timer_t is allocated at the
// first start and lives on until libuv has closed it.

#ifndef PIPEWRIGHT_SRC_CORE_LOOP_TIMER_H_
#define PIPEWRIGHT_SRC_CORE_LOOP_TIMER_H_

#include <uv.h>

#include <cstdint>
#include <functional>

#include "core/environment.h"

namespace pipewright {

class LoopTimer {
 public:
  LoopTimer(Environment* environment, std::function<void()> on_timer)
      : environment_(environment), on_timer_(std::move(on_timer)) {}
  ~LoopTimer() { Close(); }
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;

  // Runs on_timer after `delay` milliseconds, or earlier if it is already due earlier.
  void StartBy(uint64_t delay, bool keeps_loop_alive);
  void Stop();
  // Stops it for good; StartBy() has no effect any more.
  void Close();

 private:
  static void OnTimer(uv_timer_t* timer);
  static void OnClosed(uv_handle_t* timer);

  Environment* environment_;
  std::function<void()> on_timer_;
  uv_timer_t* timer_ = nullptr;
  bool is_closed_ = false;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_LOOP_TIMER_H_
