// The primary's end of the socket to one worker: sends accepted connections, several in one
// message, and keeps its own copy of each until the worker has it for good.
//
//   Assign() --Flush()--> sent --the program has it--> taken --read from--> released
//
// The kernel does not tell whether a Unix socket was written to, which matters where the server
// speaks first. There the worker says that a connection is taken just before its program gets it,
// and that it is read from just after. If the worker dies between the two, its program may have
// written: the bytes that the client has not read yet show that.
//
// The worker reports what it has read from soon after its program got it. A connection from which
// it had not read by then is looked at after 5 ms, then at growing intervals, and released after
// `keep_time` milliseconds at the latest. When the worker has died, GiveBack() returns what is
// left: what it has used the kernel knows, whatever it could still report.
//
// To the worker (SOCK_SEQPACKET): for each descriptor of the message a record of two u32: id,
// number of the listener. From the worker: kAnswerHead u32, and ids. The first four are counts of
// the ids: connections from which it has read, those that its program has got, those that did not
// fit into its table of descriptors, and those that it has closed. The last one, kIsFull, is 1
// while its table is full: until it says 0 it gets no more.

#ifndef PIPEWRIGHT_SRC_CLUSTER_CONNECTION_SENDER_H_
#define PIPEWRIGHT_SRC_CLUSTER_CONNECTION_SENDER_H_

#include <napi.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cluster/connection_socket.h"
#include "cluster/connection_state.h"
#include "cluster/worker_page.h"
#include "core/loop_timer.h"
#include "core/unique_fd.h"

namespace pipewright {

class ConnectionDispatcher;

constexpr size_t kMaxPerMessage = 32;  // Descriptors.
constexpr size_t kMaxNumbers = 4096;   // An answer has no more.
constexpr size_t kAnswerHead = 5;
constexpr size_t kIsFull = 4;  // In the head.

// The number of a listener without its marks, and marks, as in lib/cluster/marks.js: the server
// speaks first; it is no connection but the listening socket itself, on which the worker accepts.
constexpr uint32_t kListenerNumber = 0xffff;
constexpr uint32_t kSpeaksFirst = 1 << 19;
constexpr uint32_t kIsListener = 1 << 20;

constexpr int32_t kAnySlot = -1;

// An accepted connection, of which this process has a copy.
struct Connection {
  UniqueFd fd;
  uint32_t id = 0;        // In the order of accepting.
  uint32_t listener = 0;  // Its number.
  bool is_unix = false;
  bool is_taken = false;
  bool is_watched = false;  // WatchForTouch() was called.
  uint64_t client = 0;      // With schedule 'sticky': the client's hash.
  int32_t slot = kAnySlot;  // With a function as schedule: what it has chosen.
  std::string bytes;        // And what it gets to see.
  PriorUse prior;           // Of a connection that another worker has used.
  uint64_t since = 0;  // Milliseconds of the loop: when it was assigned, then when it was taken.
  uint64_t interval = 0;
  uint64_t message = 0;  // The number of the one with which it goes to the worker; 0: none yet.

  bool is_listener() const { return (listener & kIsListener) != 0; }
};

using Connections = std::map<uint32_t, Connection>;  // By id.

class ConnectionSender : public Napi::ObjectWrap<ConnectionSender>, public ConnectionSocket {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);
  static ConnectionSender* FromObject(const Napi::Value& value);

  explicit ConnectionSender(const Napi::CallbackInfo& info);

  Napi::Value OpenFd(const Napi::CallbackInfo& info);
  Napi::Value CreatePage(const Napi::CallbackInfo& info);
  Napi::Value Pause(const Napi::CallbackInfo& info);
  Napi::Value Resume(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);

  // For the dispatcher.
  bool Join(ConnectionDispatcher* dispatcher, uint32_t slot);
  // The place among the workers, which its successor takes over.
  uint32_t slot() const { return slot_; }
  // Reports whether it takes connections at all, now or once it has room.
  bool is_available() const { return !is_paused_ && !has_ended() && !cannot_send_; }
  bool HasRoom() const;
  // Connections that are open, as its page says.
  uint64_t active() const;
  void Assign(Connection connection);
  // Sends what was assigned.
  void Flush();
  // Closes this process's copy of a connection, if it has one.
  void Finish(uint32_t id);
  // Stops for good. Returns the connections that nobody has used; shuts down the others.
  Connections GiveBack();
  // Stops for good, and leaves the connections to the worker, which may be alive.
  void Leave();
  // How many connections were assigned to it that it has not taken.
  size_t untaken() const { return untaken_; }
  uint64_t ended() const { return ended_; }

 protected:
  void BeforeClose() override;

 private:
  static void OnReady(uv_poll_t* poll, int status, int events);

  void UpdatePoll() override;
  uint64_t Now() const { return uv_now(environment()->loop()); }
  void ReadAnswers(int most);
  void OnAnswer(const uint32_t* numbers, size_t count);
  void Take(uint32_t id);
  void Refuse(uint32_t id, Connections* refused);
  void CheckLater(uint64_t delay, uint32_t id);
  void CheckTaken();
  void Release(Connections::iterator place);
  bool IsLetGo(const Connection& connection) const;
  bool IsSent(const Connection& connection) const;

  LoopTimer check_timer_;
  ConnectionDispatcher* dispatcher_ = nullptr;
  Connections connections_;
  std::vector<uint32_t> staged_;              // Ids: assigned and not yet sent.
  std::multimap<uint64_t, uint32_t> checks_;  // When to look at which taken connection.
  size_t untaken_ = 0;
  uint32_t assigned_ = 0;
  uint64_t messages_ = 0;  // Given to writer_.
  uint64_t ended_ = 0;     // Connections that were shut down, since a dead worker had used them.
  uint64_t refused_ = 0;
  WorkerPage page_;
  uint32_t slot_ = 0;
  bool is_full_ = false;  // Its table of descriptors.
  bool is_paused_ = false;
  bool cannot_send_ = false;  // What the worker has sent still comes.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_CONNECTION_SENDER_H_
