// Module entry. The addon exports one function, createBinding(dispatch): each copy
// of lib/ calls it once and gets classes of its own, whose events go to its dispatch.

#include <napi.h>

#include "child_process/parent_death.h"
#include "child_process/process_wrap.h"
#include "child_process/signal_wrap.h"
#include "child_process/spawn_sync.h"
#include "cluster/connection_dispatcher.h"
#include "cluster/connection_receiver.h"
#include "cluster/connection_sender.h"
#include "core/arguments.h"
#include "core/completion_queue.h"
#include "core/environment.h"
#include "descriptors/descriptor_functions.h"
#include "descriptors/message_socket.h"
#include "net/listener.h"
#include "net/pipe_wrap.h"
#include "net/socket_info.h"
#include "net/tcp_wrap.h"

namespace pipewright {

namespace {

Napi::Object EventKinds(Napi::Env env) {
  auto kinds = Napi::Object::New(env);
  const auto define = [&](const char* name, EventKind kind) {
    kinds.Set(name, static_cast<int32_t>(kind));
  };
  define("READ", EventKind::kRead);
  define("READ_SLAB", EventKind::kReadSlab);
  define("READ_OWN", EventKind::kReadOwn);
  define("WRITE", EventKind::kWrite);
  define("CONNECT", EventKind::kConnect);
  define("SHUTDOWN", EventKind::kShutdown);
  define("CONNECTION", EventKind::kConnection);
  define("CLOSE", EventKind::kClose);
  define("EXIT", EventKind::kExit);
  define("SIGNAL", EventKind::kSignal);
  define("DESCRIPTORS", EventKind::kDescriptors);
  define("MESSAGES", EventKind::kMessages);
  define("SENT", EventKind::kSent);
  define("ROOM", EventKind::kRoom);
  define("CHOICE", EventKind::kChoice);
  define("CONNECTIONS", EventKind::kConnections);
  return kinds;
}

Napi::Value ActiveHandles(const Napi::CallbackInfo& info) {
  const auto* queue = static_cast<CompletionQueue*>(info.Data());
  return Napi::Number::New(info.Env(), static_cast<double>(queue->open_handles()));
}

// isOwn(fd): reports whether `fd` was made or accepted for this thread and has no owner yet.
Napi::Value IsOwn(const Napi::CallbackInfo& info) {
  const auto* queue = static_cast<CompletionQueue*>(info.Data());
  int fd;
  return Napi::Boolean::New(info.Env(), ToFd(info[0], &fd) && queue->IsOwn(fd));
}

Napi::Value CreateBinding(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsFunction()) return env.Undefined();
  auto* environment = static_cast<Environment*>(info.Data());
  CompletionQueue* queue = environment->AddQueue(info[0].As<Napi::Function>());
  auto binding = Napi::Object::New(env);
  binding.Set("PipeWrap", PipeWrap::Define(env, queue));
  binding.Set("TcpWrap", TcpWrap::Define(env, queue));
  binding.Set("ProcessWrap", ProcessWrap::Define(env, queue));
  binding.Set("SignalWrap", SignalWrap::Define(env, queue));
  binding.Set("Listener", Listener::Define(env, queue));
  binding.Set("spawnSync", Napi::Function::New(env, SpawnSync, "spawnSync"));
  binding.Set("MessageSocket", MessageSocket::Define(env, queue));
  binding.Set("ConnectionDispatcher", ConnectionDispatcher::Define(env, queue));
  binding.Set("ConnectionReceiver", ConnectionReceiver::Define(env, queue));
  binding.Set("ConnectionSender", ConnectionSender::Define(env, queue));
  DefineDescriptorFunctions(binding, environment);
  binding.Set("activeHandles", Napi::Function::New(env, ActiveHandles, "activeHandles", queue));
  binding.Set("isOwn", Napi::Function::New(env, IsOwn, "isOwn", queue));
  binding.Set("ignoreParentDeath",
              Napi::Function::New(env, IgnoreParentDeath, "ignoreParentDeath"));
  binding.Set("peerCredentials", Napi::Function::New(env, PeerCredentials, "peerCredentials"));
  binding.Set("socketName", Napi::Function::New(env, SocketName, "socketName"));
  binding.Set("eventKinds", EventKinds(env));
  binding.Set("events", queue->Shared());
  return binding;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment* environment = Environment::Create(env);
  if (environment == nullptr) return exports;
  exports.Set("createBinding",
              Napi::Function::New(env, CreateBinding, "createBinding", environment));
  return exports;
}

}  // namespace

}  // namespace pipewright

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) {
  return pipewright::Init(env, exports);
}

NODE_API_MODULE(pipewright, InitModule)
