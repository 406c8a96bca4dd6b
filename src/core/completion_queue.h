// The list of the events of this turn of the loop, and the only way from C++ into
// JavaScript. Wraps note records here; once a turn, after the poll phase, one
// call into lib/base/completions.js goes through all of them.
//
// One queue serves one copy of lib/ (its "dispatcher"): a Jest test file and a vm
// context each load their own copy, and a handle keeps the queue it was made with.
//
//   libuv callback --Note()--> pending_ --Flush()--> records_ --Deliver()--> dispatch()
//
// The rules of Flush():
// - A crossing carries at most one event of a group (a handle; a child with its
//   stdio), so that ticks and microtasks run between two events of one group as
//   they do in Node. The second event starts a new crossing.
// - A handler that throws reaches 'uncaughtException', and the rest is delivered.
// - An event noted during delivery waits for the next turn, except a shutdown, which is
//   delivered at the end of this delivery.
// - A child's exit is delivered after all reads of its streams (see NoteLast()).
// - After worker.terminate() a crossing fails with no exception pending: the list
//   is dropped, not retried.

#ifndef PIPEWRIGHT_SRC_CORE_COMPLETION_QUEUE_H_
#define PIPEWRIGHT_SRC_CORE_COMPLETION_QUEUE_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <vector>

#include "core/environment.h"
#include "core/read_slab.h"

namespace pipewright {

class HandleWrap;

// The kinds of records. lib/base/completions.js gets the numbers by name from the binding.
enum class EventKind : int32_t {
  kNone,        // Voided: the handle was closed before delivery.
  kRead,        // first: bytes or a negative errno; second: place in the slabs
  kReadSlab,    // first: bytes; second: number of the slab, which is given away
  kReadOwn,     // first: bytes, in the buffer given with useUserBuffer()
  kWrite,       // first: status
  kConnect,     // first: status
  kShutdown,    // first: status
  kConnection,  // first: status; second: the accepted descriptor
  kClose,
  kExit,         // first: exit code, or -1; second: signal number, or 0
  kSignal,       // first: signal number
  kDescriptors,  // first: how many can be taken with takeDescriptors()
  kMessages,     // first: how many can be taken with takeMessages()
  kSent,         // first: how many; second: status
  kRoom,         // first: 1 if a dispatcher can hand connections on, 0 if no worker has room
  kChoice,       // first: how many connections wait until a function has chosen their worker
  kConnections,  // A worker can take connections with takeConnections().
};

class CompletionQueue {
 public:
  CompletionQueue(Environment* environment, Napi::Function dispatch);
  ~CompletionQueue() = default;
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  Environment* environment() const { return environment_; }
  ReadSlabs* slabs() { return &slabs_; }
  // Grows by one each turn of the loop, in the check phase.
  uint64_t turn() const { return turn_; }

  // The objects that lib/ shares with C++: { records, cursor, handles, slabs } for
  // completions.js, and { scratch } for ByteStream::WriteScratch().
  Napi::Object Shared() const;
  static constexpr size_t kScratchSize = 64;
  const char* scratch() const { return scratch_; }

  // Called by HandleWrap. Returns the number by which records and the table `handles` name
  // the open handle.
  uint32_t Register(HandleWrap* handle, Napi::Object object);
  bool IsOpen(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < handles_.size() && handles_[id] != nullptr;
  }
  // The open handle with that id; nullptr if there is none.
  HandleWrap* Find(int32_t id) const { return IsOpen(id) ? handles_[id] : nullptr; }
  size_t open_handles() const { return handles_.size() - free_ids_.size(); }

  void Note(HandleWrap* handle, EventKind kind, int32_t first = 0, int32_t second = 0);

  // Notes an event that comes after all others of its group, in a crossing of its own. It
  // waits for a turn in which no stream of the group read anything.
  void NoteLast(HandleWrap* handle, EventKind kind, int32_t first, int32_t second);

  // Records that a stream of this group read in this turn: there may be more to read.
  void MarkRead(uint32_t group) { last_read_turn_[group] = turn_; }

  // Voids what a closed handle gets no more: its undelivered reads, exit, signals and
  // errors of accepting. Connections that it has accepted are still delivered.
  void Void(HandleWrap* handle);

  // To be called when a handle took over `fd`, or when `fd` is about to be closed. If it is
  // the accepted descriptor of the record under way, the queue no longer closes it.
  void TakeAccepted(int fd);
  // Reports whether `fd` is the accepted descriptor of the record under way.
  bool IsAccepted(int fd) const;
  // Reports whether `fd` was made or accepted for this thread and has no owner yet, so that
  // it cannot be another handle's.
  bool IsOwn(int fd) const;
  // Reports whether `handle` has undelivered reads, connections, exits or signals.
  bool HasUnread(const HandleWrap* handle) const;

  // Frees the number and holds the JavaScript object weakly.
  void Release(uint32_t id);

  // Closes every open handle, and the queue's own.
  void Close();

 private:
  struct Record {
    uint32_t id;
    uint32_t group;
    EventKind kind;
    int32_t first;
    int32_t second;
  };

  static constexpr size_t kFields = 4;  // of a record in records_: id, kind, first, second
  static constexpr size_t kMaxRecordsPerCrossing = 1024;
  // For NoteLast(). After so many turns everything is read that a child can have left in a
  // socket or pipe; what is still written comes from a grandchild.
  static constexpr uint64_t kMaxTurnsToWait = 64;
  static constexpr int kMaxShutdownRounds = 8;  // For FlushShutdowns().

  static void OnCheck(uv_check_t* check);
  static void OnIdle(uv_idle_t* idle);
  static void OnOwnHandleClosed(uv_handle_t* handle);

  void Append(const Record& record);
  void EndWaits();
  void Flush(size_t end);
  void FlushShutdowns();
  void FillCrossing(size_t end);
  bool Deliver();
  int32_t* AcceptedFd() const;
  void CloseUntaken();
  void Drop();
  void ReleaseClosed();

  Environment* environment_;
  ReadSlabs slabs_;
  uv_check_t check_;
  uv_idle_t idle_;

  Napi::FunctionReference dispatch_;
  Napi::Reference<Napi::Int32Array> records_ref_;
  Napi::Reference<Napi::Int32Array> cursor_ref_;
  Napi::Reference<Napi::Array> table_ref_;
  Napi::Reference<Napi::Uint8Array> scratch_ref_;
  int32_t* records_;  // Memory of records_ref_: the crossing under way.
  char* scratch_;     // Memory of scratch_ref_.
  int32_t* cursor_;   // Memory of cursor_ref_: [next field to deliver, end].

  struct Waiting {
    Record record;
    uint64_t since;  // Turn.
  };

  std::vector<Waiting> waiting_;  // From NoteLast(), not yet in pending_.
  std::vector<Record> pending_;
  size_t next_ = 0;  // In pending_: the first record not yet in a crossing.
  int flush_depth_ = 0;
  uint64_t turn_ = 1;
  uint32_t crossing_ = 0;
  std::vector<uint32_t> last_crossing_;   // By group.
  std::vector<uint64_t> last_read_turn_;  // By group.
  std::vector<uint32_t> closed_ids_;      // In the crossing under way.

  std::vector<HandleWrap*> handles_;  // By number; nullptr if the number is free.
  std::vector<uint32_t> free_ids_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_COMPLETION_QUEUE_H_
