// One child process, however it is waited for: on the loop (process_wrap) or without
// it (spawn_sync). Signals go through its pidfd; only this one pid is reaped.

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_CHILD_PROCESS_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_CHILD_PROCESS_H_

#include <napi.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <optional>

#include "child_process/spawn_options.h"
#include "core/unique_fd.h"

namespace pipewright {

class ChildProcess {
 public:
  // 0 or a negative errno; may be tried again after a failure.
  int Start(const SpawnOptions& options);
  // 'chdir', 'exec' ... nullptr where nothing failed, or it is not known what.
  const char* failed_step() const { return failed_step_; }

  pid_t pid() const { return pid_; }
  // Readable once the child has ended; -1 where the kernel has none.
  int pidfd() const { return pidfd_.get(); }

  // Until Reap() found that it has ended.
  bool is_running() const { return is_running_; }

  // 0 or a negative errno: ESRCH once the child has ended, so that it never is some
  // other process that got the pid since.
  int Signal(int signal);

  // True if the child has ended; does not wait.
  bool Reap();

  // Of a child that cannot be kept.
  void KillAndReap();

  // Of one that goes on, but that nobody waits for any more: it is reaped when another
  // child is started or let go of, in whatever thread.
  void Abandon();

  // How it ended. -1: not by an exit, or unknown, since somebody else has reaped it.
  int exit_code() const { return exit_code_; }
  int exit_signal() const { return exit_signal_; }  // 0: not by a signal, or unknown.

  // For JavaScript: as process.resourceUsage(), but maxRSS in bytes; undefined where it
  // is not known. The kernel counts in maxRSS what the child borrowed of this process
  // before its exec: a value not above our own says no more than that.
  Napi::Value ResourceUsage(Napi::Env env) const;

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  bool is_running_ = false;
  const char* failed_step_ = nullptr;
  int exit_code_ = -1;
  int exit_signal_ = 0;
  std::optional<rusage> usage_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_CHILD_PROCESS_H_
