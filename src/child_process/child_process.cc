#include "child_process/child_process.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "child_process/spawn.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace pipewright {

namespace {

// struct pidfd_info of linux/pidfd.h in Linux 6.15. Few distributions have that header yet.
struct PidfdInfo {
  uint64_t mask;
  uint64_t unused_cgroup;
  uint32_t unused_ids[11];
  int32_t exit_code;
};
constexpr uint64_t kPidfdInfoExit = 1 << 3;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xff, 11, PidfdInfo);

// Finds the status of a child that other code of this process has reaped. Returns false if the
// kernel does not keep it.
bool FindStolenStatus(int pidfd, int* status) {
  PidfdInfo info{};
  info.mask = kPidfdInfoExit;
  if (ioctl(pidfd, kPidfdGetInfo, &info) != 0 || (info.mask & kPidfdInfoExit) == 0) return false;
  *status = info.exit_code;
  return true;
}

double Microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

// Abandoned children of all threads. A child belongs to the process, so any thread may reap it.
class AbandonedChildren {
 public:
  // Never destroyed: threads may outlive the destructors of statics.
  static AbandonedChildren* Get() {
    static auto* const children = new AbandonedChildren;
    return children;
  }

  void Add(pid_t pid) {
    const std::lock_guard<std::mutex> lock(mutex_);
    pids_.push_back(pid);
  }
  void Reap() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto is_gone = [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; };
    pids_.erase(std::remove_if(pids_.begin(), pids_.end(), is_gone), pids_.end());
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> pids_;
};

}  // namespace

int ChildProcess::Start(const SpawnOptions& options) {
  AbandonedChildren::Get()->Reap();
  SpawnResult result = Spawn(options);
  failed_step_ = result.step;
  if (result.error != 0) return result.error;
  pid_ = result.pid;
  pidfd_ = std::move(result.pidfd);
  is_running_ = true;
  return 0;
}

int ChildProcess::Signal(int signal) {
  if (!is_running_) return UV_ESRCH;
  // Without a pidfd the pid is safe too: it stays the child's until the child is reaped.
  const long result = pidfd_.is_valid()
                          ? syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0)
                          : kill(pid_, signal);
  return result == 0 ? 0 : -errno;
}

bool ChildProcess::Reap() {
  int status = 0;
  rusage usage;
  const pid_t reaped = wait4(pid_, &status, WNOHANG, &usage);
  if (reaped == 0) return false;
  is_running_ = false;
  bool is_known = reaped == pid_;
  if (is_known) {
    usage_ = usage;
  } else {
    is_known = FindStolenStatus(pidfd_.get(), &status);
  }
  if (is_known && WIFEXITED(status)) exit_code_ = WEXITSTATUS(status);
  if (is_known && WIFSIGNALED(status)) exit_signal_ = WTERMSIG(status);
  return true;
}

void ChildProcess::KillAndReap() {
  Signal(SIGKILL);
  while (waitpid(pid_, nullptr, 0) == -1 && errno == EINTR) continue;
  is_running_ = false;
  pidfd_.Reset();
  pid_ = 0;
}

void ChildProcess::Abandon() {
  AbandonedChildren::Get()->Reap();
  if (is_running_ && !Reap()) AbandonedChildren::Get()->Add(pid_);
  is_running_ = false;
  pidfd_.Reset();
}

Napi::Value ChildProcess::ResourceUsage(Napi::Env env) const {
  if (!usage_) return env.Undefined();
  auto result = Napi::Object::New(env);
  const auto set = [&](const char* name, double value) { result.Set(name, value); };
  set("userCPUTime", Microseconds(usage_->ru_utime));
  set("systemCPUTime", Microseconds(usage_->ru_stime));
  set("maxRSS", static_cast<double>(usage_->ru_maxrss) * 1024);
  set("minorPageFault", static_cast<double>(usage_->ru_minflt));
  set("majorPageFault", static_cast<double>(usage_->ru_majflt));
  set("fsRead", static_cast<double>(usage_->ru_inblock));
  set("fsWrite", static_cast<double>(usage_->ru_oublock));
  set("voluntaryContextSwitches", static_cast<double>(usage_->ru_nvcsw));
  set("involuntaryContextSwitches", static_cast<double>(usage_->ru_nivcsw));
  return result;
}

}  // namespace pipewright
