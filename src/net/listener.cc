#include "net/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/arguments.h"
#include "core/class_methods.h"
#include "net/ip_address.h"
#include "net/socket_info.h"
#include "net/unix_listen.h"

namespace pipewright {

namespace {

constexpr napi_type_tag kListenerTag = {0x5c1f0a6d2b7e4913, 0x9e40d2c7a8b13f65};

// Reads an optional integer of an options object; `fallback` if it is undefined.
bool GetInt(const Napi::Object& options, const char* name, int fallback, int* out) {
  *out = fallback;
  const Napi::Value value = options.Get(name);
  return value.IsUndefined() || ToInt32(value, out);
}

bool GetBool(const Napi::Object& options, const char* name) {
  bool is_set = false;
  ToBool(options.Get(name), &is_set);
  return is_set;
}

bool ReadUnixOptions(const Napi::Object& options, ListenUnixOptions* out) {
  out->replace_stale = GetBool(options, "replaceStale");
  out->pass_descriptors = GetBool(options, "descriptors");
  return ToString(options.Get("path"), &out->path) &&
         GetInt(options, "mode", ListenUnixOptions::kUnset, &out->mode) &&
         GetInt(options, "addMode", 0, &out->add_mode) &&
         GetInt(options, "uid", ListenUnixOptions::kUnset, &out->uid) &&
         GetInt(options, "gid", ListenUnixOptions::kUnset, &out->gid) &&
         GetInt(options, "backlog", out->backlog, &out->backlog);
}

struct ListenTcpOptions {
  IpAddress address;
  int backlog = 511;
  bool ipv6_only = false;
  bool reuse_port = false;
};

bool ReadTcpOptions(const Napi::Object& options, ListenTcpOptions* out) {
  std::string host;
  int port;
  if (!ToString(options.Get("address"), &host)) return false;
  if (!GetInt(options, "port", 0, &port)) return false;
  if (!GetInt(options, "backlog", out->backlog, &out->backlog)) return false;
  out->ipv6_only = GetBool(options, "ipv6Only");
  out->reuse_port = GetBool(options, "reusePort");
  return IpAddress::Parse(host, port, &out->address) == 0;
}

int EnableOption(int fd, int level, int name) {
  const int on = 1;
  return setsockopt(fd, level, name, &on, sizeof(on)) == 0 ? 0 : -errno;
}

int ListenTcp(const ListenTcpOptions& options, UniqueFd* out) {
  const int family = options.address.data.ss_family;
  *out = UniqueFd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out->is_valid()) return -errno;
  int err = EnableOption(out->get(), SOL_SOCKET, SO_REUSEADDR);
  if (err == 0 && options.ipv6_only) err = EnableOption(out->get(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (err == 0 && options.reuse_port) err = EnableOption(out->get(), SOL_SOCKET, SO_REUSEPORT);
  if (err != 0) return err;
  if (bind(out->get(), options.address.get(), options.address.length()) != 0) return -errno;
  return listen(out->get(), options.backlog) == 0 ? 0 : -errno;
}

// Reports whether the process's or the system's table is full, or memory is out.
bool IsOverload(int err) {
  return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

// Reports whether an error of accept(2) concerns only the one connection, which is gone. Its
// manual page says that an error of the network, too, may come so.
bool IsLostConnection(int err) {
  switch (err) {
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EINTR:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EPERM:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

}  // namespace

Napi::Function Listener::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<Listener> methods;
  methods.AddHandle()
      .Add("listenOnPath", &Listener::ListenOnPath)
      .Add("listenOnAddress", &Listener::ListenOnAddress)
      .Add("listenOnFd", &Listener::ListenOnFd)
      .Add("listenOnShared", &Listener::ListenOnShared)
      .Add("accept", &Listener::Accept)
      .Add("reject", &Listener::Reject)
      .Add("keepFile", &Listener::KeepFile)
      .Add("removeFile", &Listener::RemoveFile)
      .Add("getFile", &Listener::GetFile)
      .Add("ownFile", &Listener::OwnFile)
      .Add("getsockname", &Listener::LocalAddress);
  return DefineClass(env, "Listener", methods.list(), queue);
}

Listener* Listener::FromObject(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  const auto object = value.As<Napi::Object>();
  return object.CheckTypeTag(&kListenerTag) ? Unwrap(object) : nullptr;
}

Listener::Listener(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Listener>(info),
      HandleWrap(this, static_cast<CompletionQueue*>(info.Data()),
                 reinterpret_cast<uv_handle_t*>(&poll_)),
      table_waiter_(queue()->environment(), [this] {
        if (!is_held_) Poll();
      }) {
  info.This().As<Napi::Object>().TypeTag(&kListenerTag);
}

// Takes the listening socket over, unless it fails, and begins to accept.
int Listener::Start(const Napi::CallbackInfo& info, int fd) {
  int err = Open(info, [&](uv_loop_t* loop) { return uv_poll_init(loop, &poll_, fd); });
  if (err != 0) return err;
  err = Poll();
  if (err == 0) {
    socket_.Reset(fd);
  } else {
    Close();
  }
  return err;
}

Napi::Value Listener::ListenOnPath(const Napi::CallbackInfo& info) {
  ListenUnixOptions options;
  if (!info[0].IsObject() || !ReadUnixOptions(info[0].As<Napi::Object>(), &options)) {
    return Result(info, UV_EINVAL);
  }
  if (!is_unopened()) return Result(info, UV_EBUSY);
  UniqueFd socket;
  int err = ListenUnix(options, &socket, &file_);
  if (err == 0) err = Start(info, socket.get());
  if (err == 0) socket.Release();
  if (err != 0) file_.Remove();
  return Result(info, err);
}

Napi::Value Listener::ListenOnAddress(const Napi::CallbackInfo& info) {
  ListenTcpOptions options;
  if (!info[0].IsObject() || !ReadTcpOptions(info[0].As<Napi::Object>(), &options)) {
    return Result(info, UV_EINVAL);
  }
  if (!is_unopened()) return Result(info, UV_EBUSY);
  UniqueFd socket;
  int err = ListenTcp(options, &socket);
  if (err == 0) err = Start(info, socket.get());
  if (err == 0) socket.Release();
  return Result(info, err);
}

// Takes the descriptor over; on failure it stays the caller's.
Napi::Value Listener::ListenOnFd(const Napi::CallbackInfo& info) {
  int fd;
  int32_t backlog;
  if (!ToFd(info[0], &fd) || !ToInt32(info[1], &backlog)) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  // Node may have a stream on 0, 1 or 2. For these the error of listen(2) has precedence,
  // as in Node.
  const bool is_standard = fd <= STDERR_FILENO;
  int err = is_standard ? 0 : CheckAdoptable(fd);
  if (err == 0 && listen(fd, backlog) != 0) err = -errno;
  if (err == 0 && is_standard) err = CheckAdoptable(fd);
  if (err == 0) err = Start(info, fd);
  if (err == 0) Adopted(fd);
  return Result(info, err);
}

// listenOnShared(fd): with a socket that listens already, and has its backlog. Takes it over; on
// failure it stays the caller's.
Napi::Value Listener::ListenOnShared(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  int err = CheckAdoptable(fd);
  if (err == 0) err = Start(info, fd);
  if (err == 0) Adopted(fd);
  return Result(info, err);
}

void Listener::OnReadable(uv_poll_t* poll, int status, int) {
  auto* self = static_cast<Listener*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll)));
  if (status < 0) return self->Note(EventKind::kConnection, status);
  self->AcceptSome();
  if (self->sink_ != nullptr) self->sink_->OnAcceptedAll();
}

void Listener::AcceptSome() {
  for (int accepted = 0; accepted < kMaxAcceptsPerTurn; ++accepted) {
    if (sink_ != nullptr && !sink_->HasRoom()) {
      is_held_ = true;
      uv_poll_stop(&poll_);
      return;
    }
    const int fd = accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      table_waiter_.Succeeded();
      Deliver(fd);
      continue;
    }
    const int err = errno;
    if (err == EAGAIN) return;
    if (IsLostConnection(err)) continue;
    return OnError(err);
  }
}

void Listener::Deliver(int fd) {
  if (sink_ != nullptr) {
    sink_->OnAccepted(this, UniqueFd(fd));
  } else {
    Note(EventKind::kConnection, 0, fd);
  }
}

int Listener::SetSink(ConnectionSink* sink) {
  if (!is_open()) return UV_EBADF;
  if (sink != nullptr && sink_ != nullptr) return UV_EBUSY;
  sink_ = sink;
  Resume();
  return 0;
}

void Listener::AcceptRest() {
  if (!is_open()) return;
  for (int accepted = 0; accepted < kMaxRest; ++accepted) {
    const int fd = accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && !IsLostConnection(errno)) break;
    if (fd >= 0) Deliver(fd);
  }
}

void Listener::Resume() {
  if (!is_held_) return;
  is_held_ = false;
  if (!table_waiter_.is_waiting()) Poll();
}

// Stops polling: the poll would report a lasting error in each turn. An overload is
// reported once, and again only after a connection was accepted in between.
void Listener::OnError(int err) {
  const bool has_ref = uv_has_ref(reinterpret_cast<uv_handle_t*>(&poll_)) != 0;
  uv_poll_stop(&poll_);
  if (!IsOverload(err)) return Note(EventKind::kConnection, -err, 0);
  if (!table_waiter_.has_waited()) Note(EventKind::kConnection, -err, 1);
  table_waiter_.Wait(has_ref);
}

// Resumes after an error that stopped the polling, without waiting for the next retry.
Napi::Value Listener::Accept(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  table_waiter_.Stop();
  return Result(info, is_held_ ? 0 : Poll());
}

// Closes an accepted descriptor that JavaScript does not take. It works on a closed
// Listener too, since connections are delivered after close().
Napi::Value Listener::Reject(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Result(info, UV_EINVAL);
  queue()->TakeAccepted(fd);
  return Result(info, close(fd) == 0 ? 0 : -errno);
}

Napi::Value Listener::KeepFile(const Napi::CallbackInfo& info) {
  file_.Disown();
  return info.Env().Undefined();
}

Napi::Value Listener::RemoveFile(const Napi::CallbackInfo& info) {
  file_.Remove();
  return info.Env().Undefined();
}

// The file that this removes when it closes, as a text for ownFile() in another process; empty if
// there is none.
Napi::Value Listener::GetFile(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  return Napi::String::New(info.Env(), file_.ToText());
}

// ownFile(text): the former owner keeps the file, and this removes it.
Napi::Value Listener::OwnFile(const Napi::CallbackInfo& info) {
  std::string text;
  if (!is_open()) return Result(info, UV_EBADF);
  const bool is_valid = ToString(info[0], &text) && SocketFile::FromText(text, &file_);
  return Result(info, is_valid ? 0 : UV_EINVAL);
}

Napi::Value Listener::LocalAddress(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  return NameOfSocket(info.Env(), socket_.get());
}

// The file goes first: once the descriptor is closed, a new server may have made its
// own.
void Listener::BeforeClose() {
  if (sink_ != nullptr) sink_->OnListenerClosed(this);
  sink_ = nullptr;
  table_waiter_.Close();
  file_.Remove();
  uv_poll_stop(&poll_);
  socket_.Reset();
}

}  // namespace pipewright
