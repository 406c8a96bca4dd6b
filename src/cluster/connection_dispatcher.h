// Hands what its listeners accept to workers, without JavaScript on the way. Accepts only while
// a worker has room: what nobody can take waits in the kernel's backlog.
//
//   Listener --OnAccepted()--> Choose() --> ConnectionSender --> worker
//                 no worker has room: pending_ --OnRoom()--^       |
//                         ^------------------- Remove() of a worker that has died

#ifndef PIPEWRIGHT_SRC_CLUSTER_CONNECTION_DISPATCHER_H_
#define PIPEWRIGHT_SRC_CLUSTER_CONNECTION_DISPATCHER_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <vector>

#include "cluster/connection_sender.h"
#include "core/handle_wrap.h"
#include "net/listener.h"

namespace pipewright {

class ConnectionDispatcher : public Napi::ObjectWrap<ConnectionDispatcher>,
                             public HandleWrap,
                             private ConnectionSink {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit ConnectionDispatcher(const Napi::CallbackInfo& info);

  Napi::Value OpenDispatcher(const Napi::CallbackInfo& info);
  Napi::Value AddListener(const Napi::CallbackInfo& info);
  Napi::Value AddWorker(const Napi::CallbackInfo& info);
  Napi::Value RemoveWorker(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);
  // In handover.cc.
  Napi::Value Pause(const Napi::CallbackInfo& info);
  Napi::Value Resume(const Napi::CallbackInfo& info);
  Napi::Value Adopt(const Napi::CallbackInfo& info);
  Napi::Value TakeBack(const Napi::CallbackInfo& info);
  Napi::Value AcceptRest(const Napi::CallbackInfo& info);
  Napi::Value TakePending(const Napi::CallbackInfo& info);

  // For a ConnectionSender.
  size_t max_unacknowledged() const { return max_unacknowledged_; }
  uint64_t handover() const { return handover_; }
  // A worker may have room again.
  void OnRoom();
  // Returns how many connections wait for another worker now.
  size_t Remove(ConnectionSender* sender);
  // Sends it nothing more. Reports whether it was one of this dispatcher's.
  bool Forget(ConnectionSender* sender);

 protected:
  void BeforeClose() override;

 private:
  enum class Schedule { kRoundRobin, kLeastConnections };

  struct Source {
    Listener* listener;
    uint32_t number;
    bool is_unix;
  };

  bool HasRoom() override;
  void OnAccepted(const Listener* listener, UniqueFd connection) override;
  void OnAcceptedAll() override;
  void OnListenerClosed(Listener* listener) override;

  // In handover.cc.
  int AdoptFd(int fd, int32_t number);

  const Source* SourceOf(const Listener* listener) const;
  ConnectionSender* Choose();
  void SendPending();
  void NoteRoom(bool has_room);

  uv_timer_t timer_;  // Never started: HandleWrap needs a handle of libuv.
  Schedule schedule_ = Schedule::kRoundRobin;
  size_t max_unacknowledged_ = 0;
  uint64_t handover_ = 0;  // Milliseconds.
  std::vector<Source> sources_;
  std::vector<ConnectionSender*> senders_;
  size_t next_ = 0;      // In senders_: whose turn it is.
  Connections pending_;  // In the order of accepting.
  uint32_t last_id_ = 0;
  bool had_room_ = true;    // As last noted.
  bool is_held_ = false;    // A listener waits for Resume().
  bool is_paused_ = false;  // Accepts nothing.
  uint64_t accepted_ = 0;
  uint64_t moved_ = 0;
  uint64_t ended_ = 0;
  uint64_t handed_on_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_CONNECTION_DISPATCHER_H_
