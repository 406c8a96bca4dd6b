// Hands what its listeners accept to workers, without JavaScript on the way, unless a function
// chooses the workers. Accepts only while a worker has room: what nobody can take waits in the
// kernel's backlog.
//
//   Listener --OnAccepted()--> Place() -----------------------------> ConnectionSender --> worker
//                 |              its worker has no room: pending_ --OnRoom()--^    |
//                 | a function     ^-------------------- Return(), of a worker that has died
//                 | chooses        |
//                 v                | choose()
//                Ask() --> undecided_ --takeUndecided()--> asked_
//                 |  no bytes yet  ^
//                 '-> first_bytes_-'

#ifndef PIPEWRIGHT_SRC_CLUSTER_CONNECTION_DISPATCHER_H_
#define PIPEWRIGHT_SRC_CLUSTER_CONNECTION_DISPATCHER_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cluster/client.h"
#include "cluster/connection_sender.h"
#include "cluster/first_bytes.h"
#include "cluster/schedule.h"
#include "cluster/shared_table.h"
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
  Napi::Value TakeUndecided(const Napi::CallbackInfo& info);
  Napi::Value ChooseWorkers(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);
  Napi::Value ShareTable(const Napi::CallbackInfo& info);
  // In handover.cc.
  Napi::Value Pause(const Napi::CallbackInfo& info);
  Napi::Value Resume(const Napi::CallbackInfo& info);
  Napi::Value Adopt(const Napi::CallbackInfo& info);
  Napi::Value TakeBack(const Napi::CallbackInfo& info);
  Napi::Value AcceptRest(const Napi::CallbackInfo& info);
  Napi::Value TakePending(const Napi::CallbackInfo& info);

  // For a ConnectionSender.
  size_t max_unacknowledged() const { return max_unacknowledged_; }
  uint64_t keep_time() const { return keep_time_; }
  // A worker may have room again.
  void OnRoom();
  // Hands out again what a worker has not used.
  void Return(Connections connections);
  // Returns how many connections wait for another worker now.
  size_t Remove(ConnectionSender* sender);
  // Sends it nothing more. Reports whether it was one of this dispatcher's.
  bool Forget(ConnectionSender* sender) { return schedule_.Remove(sender); }

 protected:
  void BeforeClose() override;

 private:
  struct Source {
    Listener* listener;
    uint32_t number;
    bool is_unix;
  };

  static void OnFirstBytes(uv_poll_t* poll, int status, int events);

  bool HasRoom() override;
  void OnAccepted(const Listener* listener, UniqueFd connection) override;
  void OnAcceptedAll() override;
  void OnListenerClosed(Listener* listener) override;

  bool ReadOptions(const Napi::Object& options);
  // In handover.cc.
  int AdoptFd(int fd, int32_t number);

  const Source* SourceOf(const Listener* listener) const;
  int Share(const Source& source, ConnectionSender* sender);
  int ShareRest();
  void Route(Connection connection);
  void Ask(Connection connection);
  void AddUndecided(Connection connection);
  void Place(Connection connection);
  void Give(ConnectionSender* sender, Connection connection);
  void SendPending();
  bool TableHasRoom();
  void NoteRoom(bool has_room);
  size_t waiting() const { return pending_.size() + undecided_.size() + asked_.size(); }

  uv_poll_t poll_;  // On the epoll set of first_bytes_.
  FirstBytes first_bytes_;
  Schedule schedule_;
  StickyBy sticky_by_ = StickyBy::kUid;
  size_t max_unacknowledged_ = 0;
  size_t peek_bytes_ = 0;
  uint64_t keep_time_ = 0;  // Milliseconds.
  std::vector<Source> sources_;
  Connections pending_;  // In the order of accepting.
  std::vector<Connection> undecided_;
  Connections asked_;  // JavaScript is choosing their workers.
  uint32_t last_id_ = 0;
  bool had_room_ = true;    // As last noted.
  bool is_held_ = false;    // A listener waits for Resume().
  bool is_paused_ = false;  // Accepts nothing.
  // Listeners, by number, and workers with which they will be shared.
  std::vector<std::pair<uint32_t, ConnectionSender*>> unshared_;
  std::unique_ptr<SharedTable> shared_table_;  // Null if each worker has a table of its own.
  uint64_t accepted_ = 0;
  uint64_t moved_ = 0;
  uint64_t ended_ = 0;
  uint64_t dropped_ = 0;
  uint64_t handed_on_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_CONNECTION_DISPATCHER_H_
