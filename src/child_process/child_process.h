// One child process, waited for on the loop (process_wrap) or without it (spawn_sync). Signals
// go through its pidfd. Only its own pid is reaped, never another child.

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
  // Returns 0 or a negative errno. After a failure it may be called again.
  int Start(const SpawnOptions& options);
  // 'chdir', 'exec' ...; nullptr if nothing failed, or if the step is not known.
  const char* failed_step() const { return failed_step_; }

  pid_t pid() const { return pid_; }
  // It is readable once the child has ended. -1 if the kernel gave none.
  int pidfd() const { return pidfd_.get(); }

  // True until Reap() has found that the child has ended.
  bool is_running() const { return is_running_; }

  // Returns 0 or a negative errno: ESRCH once the child has ended, so that the signal never
  // goes to another process that has got the pid since.
  int Signal(int signal);

  // Returns true if the child has ended. Does not wait.
  bool Reap();

  // Used if the child cannot be watched.
  void KillAndReap();

  // Lets go of a child that may go on. Once it has ended, the next Start() or Abandon() of any
  // thread reaps it.
  void Abandon();

  // The exit code; -1 if a signal ended the child, or if the code is unknown because other code
  // of this process has reaped the child.
  int exit_code() const { return exit_code_; }
  int exit_signal() const { return exit_signal_; }  // 0 if no signal ended it, or if unknown.

  // For JavaScript: like process.resourceUsage(), but maxRSS is in bytes; undefined if unknown.
  // In maxRSS the kernel also counts the memory that the child borrowed from this process
  // before its exec, so a value not above our own is only an upper limit.
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
