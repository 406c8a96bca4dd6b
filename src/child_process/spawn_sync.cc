#include "child_process/spawn_sync.h"

#include <poll.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <limits>
#include <string>
#include <vector>

#include "child_process/child_process.h"
#include "child_process/spawn_options.h"
#include "child_process/sync_pipe.h"
#include "core/arguments.h"
#include "core/unique_fd.h"

namespace pipewright {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double Milliseconds() { return static_cast<double>(uv_hrtime()) / 1e6; }

// Reads a number of bytes or milliseconds. 0 means no limit, as does an option that is not given.
bool ReadLimit(const Napi::Value& value, double* out) {
  *out = kNever;
  if (IsNotGiven(value)) return true;
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::isnan(number) || number < 0) return false;
  if (number > 0) *out = number;
  return true;
}

struct SyncOptions {
  SpawnOptions spawn;
  std::vector<int> pipes;
  std::vector<uv_buf_t> input;  // As long as spawn.stdio.
  double max_buffer = kNever;
  double timeout = kNever;
  double force_kill_after = kNever;
  int kill_signal = SIGTERM;
  bool closes_on_exit = false;

  bool Read(const Napi::CallbackInfo& info);

 private:
  bool ReadPipes(const Napi::Value& value);
  bool ReadInput(const Napi::Value& value, std::vector<napi_value>* out);
  bool TakeAddresses(Napi::Env env, const std::vector<napi_value>& inputs);
};

bool SyncOptions::ReadPipes(const Napi::Value& value) {
  if (IsNotGiven(value)) return true;
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    int fd;
    if (!ToFd(array.Get(i), &fd)) return false;
    if (static_cast<size_t>(fd) >= spawn.stdio.size()) return false;
    if (std::count(pipes.begin(), pipes.end(), fd) > 0) return false;
    pipes.push_back(fd);
  }
  return true;
}

bool SyncOptions::ReadInput(const Napi::Value& value, std::vector<napi_value>* out) {
  if (IsNotGiven(value)) return true;
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  const size_t count = std::min<size_t>(array.Length(), spawn.stdio.size());
  for (uint32_t i = 0; i < count; ++i) out->push_back(array.Get(i));
  return true;
}

bool SyncOptions::TakeAddresses(Napi::Env env, const std::vector<napi_value>& inputs) {
  input.assign(spawn.stdio.size(), uv_buf_init(nullptr, 0));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Napi::Value item(env, inputs[i]);
    if (!IsNotGiven(item) && !ToBytes(item, &input[i])) return false;
  }
  return true;
}

bool SyncOptions::Read(const Napi::CallbackInfo& info) {
  if (!spawn.Read(info[0], info[1])) return false;
  const auto object = info[0].As<Napi::Object>();
  std::string close_on = "stdio";
  std::vector<napi_value> inputs;
  const Napi::Value close_on_value = object.Get("closeOn");
  const Napi::Value signal_value = object.Get("killSignal");
  const bool is_read = ReadPipes(info[2]) && ReadInput(info[3], &inputs) &&
                       ReadLimit(object.Get("maxBuffer"), &max_buffer) &&
                       ReadLimit(object.Get("timeout"), &timeout) &&
                       ReadLimit(object.Get("forceKillAfter"), &force_kill_after) &&
                       (IsNotGiven(signal_value) || ToInt32(signal_value, &kill_signal)) &&
                       (IsNotGiven(close_on_value) || ToString(close_on_value, &close_on));
  closes_on_exit = close_on == "exit";
  if (!is_read || (!closes_on_exit && close_on != "stdio")) return false;
  // This comes last: any getter above may have detached the memory of an input.
  return TakeAddresses(info.Env(), inputs);
}

class SyncSpawn {
 public:
  explicit SyncSpawn(SyncOptions* options);

  void Run();
  Napi::Object ToObject(Napi::Env env) const;

 private:
  // A child without a pidfd is checked this often.
  static constexpr int kPollMilliseconds = 10;

  int Start();
  bool IsDone() const;
  void Wait();
  int PollTimeout() const;
  void SeeToDeadlines();
  void StopOutput();
  void Kill();
  void Fail(int err) {
    if (error_ == 0) error_ = err;
  }

  SyncOptions* options_;
  ChildProcess child_;
  std::vector<SyncPipe> pipes_;
  std::vector<pollfd> polled_;
  bool closes_on_exit_;
  double deadline_ = kNever;  // The end of the timeout.
  double force_kill_at_ = kNever;
  bool was_killed_ = false;
  bool timed_out_ = false;
  int error_ = 0;
};

SyncSpawn::SyncSpawn(SyncOptions* options)
    : options_(options), closes_on_exit_(options->closes_on_exit) {
  const double max_size = std::min(options->max_buffer, 0x1p62);
  pipes_.reserve(options->pipes.size());
  for (const int fd : options->pipes) {
    pipes_.emplace_back(fd, options->input[static_cast<size_t>(fd)], static_cast<size_t>(max_size));
  }
}

int SyncSpawn::Start() {
  std::vector<UniqueFd> child_ends(pipes_.size());
  for (size_t i = 0; i < pipes_.size(); ++i) {
    const int err = pipes_[i].Open(&child_ends[i]);
    if (err != 0) return err;
    options_->spawn.stdio[static_cast<size_t>(pipes_[i].child_fd())] = child_ends[i].get();
  }
  deadline_ = Milliseconds() + options_->timeout;
  return child_.Start(options_->spawn);
}

void SyncSpawn::Run() {
  error_ = Start();
  if (error_ != 0) return;
  while (!IsDone()) {
    Wait();
    for (SyncPipe& pipe : pipes_) {
      const int err = pipe.is_open() ? pipe.Transfer() : 0;
      if (err != 0) Fail(err);
      if (err == -ENOBUFS) StopOutput();
    }
    if (child_.is_running()) child_.Reap();
    SeeToDeadlines();
  }
  for (SyncPipe& pipe : pipes_) Fail(pipe.DrainAndClose());
}

bool SyncSpawn::IsDone() const {
  if (child_.is_running()) return false;
  const auto is_open = [](const SyncPipe& pipe) { return pipe.is_open(); };
  return closes_on_exit_ || std::none_of(pipes_.begin(), pipes_.end(), is_open);
}

void SyncSpawn::Wait() {
  polled_.clear();
  if (child_.is_running()) polled_.push_back({child_.pidfd(), POLLIN, 0});
  for (const SyncPipe& pipe : pipes_) {
    if (pipe.is_open()) polled_.push_back(pipe.ToPoll());
  }
  poll(polled_.data(), polled_.size(), PollTimeout());  // EINTR does no harm.
}

int SyncSpawn::PollTimeout() const {
  const double now = Milliseconds();
  double timeout = std::min(deadline_, force_kill_at_) - now;
  if (child_.is_running() && child_.pidfd() < 0) {
    timeout = std::min(timeout, double{kPollMilliseconds});
  }
  if (timeout > std::numeric_limits<int>::max()) return -1;
  return static_cast<int>(std::ceil(std::max(timeout, 0.0)));
}

void SyncSpawn::SeeToDeadlines() {
  const double now = Milliseconds();
  if (now >= deadline_) {
    deadline_ = kNever;
    timed_out_ = true;
    Fail(UV_ETIMEDOUT);
    Kill();
  }
  if (now >= force_kill_at_) {
    force_kill_at_ = kNever;
    child_.Signal(SIGKILL);
  }
}

// Called if there is more output than may be kept. Closes the pipes too, so that a child that
// ignores the signal does not stay stuck in a write.
void SyncSpawn::StopOutput() {
  Kill();
  for (SyncPipe& pipe : pipes_) pipe.Close();
}

// After this, Run() waits only for the child itself.
void SyncSpawn::Kill() {
  closes_on_exit_ = true;
  deadline_ = kNever;
  if (was_killed_) return;
  was_killed_ = true;
  force_kill_at_ = Milliseconds() + options_->force_kill_after;
  const int err = child_.Signal(options_->kill_signal);
  if (err == 0 || err == UV_ESRCH) return;
  Fail(err);
  child_.Signal(SIGKILL);
}

Napi::Object SyncSpawn::ToObject(Napi::Env env) const {
  auto result = Napi::Object::New(env);
  const auto number_or_null = [&](bool is_known, int number) -> Napi::Value {
    return is_known ? Napi::Value(Napi::Number::New(env, number)) : env.Null();
  };
  const int status = child_.exit_code();
  const int signal = child_.exit_signal();
  const char* step = child_.failed_step();
  result.Set("pid", Napi::Number::New(env, child_.pid()));
  result.Set("status", number_or_null(status >= 0, status));
  result.Set("signal", number_or_null(signal > 0, signal));
  result.Set("output", env.Null());
  result.Set("error", Napi::Number::New(env, error_));
  result.Set("errorStep", step != nullptr ? Napi::String::New(env, step) : env.Undefined());
  result.Set("resourceUsage", child_.ResourceUsage(env));
  result.Set("timedOut", Napi::Boolean::New(env, timed_out_));
  if (child_.pid() == 0) return result;
  auto output = Napi::Array::New(env, options_->spawn.stdio.size());
  for (uint32_t i = 0; i < output.Length(); ++i) output.Set(i, env.Null());
  for (const SyncPipe& pipe : pipes_) {
    if (pipe.may_read()) output.Set(static_cast<uint32_t>(pipe.child_fd()), pipe.Output(env));
  }
  result.Set("output", output);
  return result;
}

}  // namespace

Napi::Value SpawnSync(const Napi::CallbackInfo& info) {
  SyncOptions options;
  if (!options.Read(info)) return Napi::Number::New(info.Env(), UV_EINVAL);
  SyncSpawn spawn(&options);
  spawn.Run();
  return spawn.ToObject(info.Env());
}

}  // namespace pipewright
