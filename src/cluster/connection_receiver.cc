#include "cluster/connection_receiver.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "cluster/connection_sender.h"
#include "core/arguments.h"
#include "core/class_methods.h"
#include "core/descriptor_table.h"

namespace pipewright {

namespace {

constexpr int kMaxMessagesPerTurn = 64;
constexpr uint64_t kNanosecondsPerMillisecond = 1'000'000;

bool AppendNumbers(const Napi::Value& value, std::vector<uint32_t>* out) {
  uv_buf_t bytes;
  if (!ToBytes(value, &bytes)) return false;
  const auto* numbers = reinterpret_cast<const uint32_t*>(bytes.base);
  out->insert(out->end(), numbers, numbers + bytes.len / sizeof(uint32_t));
  return true;
}

// Moves at most `most` numbers from the end of `from` to the end of `to`. Returns how many.
uint32_t MoveNumbers(std::vector<uint32_t>* from, size_t most, std::vector<uint32_t>* to) {
  const size_t count = std::min(from->size(), most);
  const auto start = from->end() - static_cast<std::ptrdiff_t>(count);
  to->insert(to->end(), start, from->end());
  from->erase(start, from->end());
  return static_cast<uint32_t>(count);
}

}  // namespace

Napi::Function ConnectionReceiver::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<ConnectionReceiver> methods;
  methods.AddHandle()
      .Add("open", &ConnectionReceiver::OpenFd)
      .Add("takeConnections", &ConnectionReceiver::TakeConnections)
      .Add("countAccepted", &ConnectionReceiver::CountAccepted)
      .Add("connectionClosed", &ConnectionReceiver::ConnectionClosed)
      .Add("answer", &ConnectionReceiver::Answer);
  return DefineClass(env, "ConnectionReceiver", methods.list(), queue);
}

ConnectionReceiver::ConnectionReceiver(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ConnectionReceiver>(info),
      ConnectionSocket(this, static_cast<CompletionQueue*>(info.Data())),
      table_waiter_(environment(), [this] { OnTable(); }),
      beat_timer_(environment(), [this] { OnBeat(); }) {}

// open(fd, page, interval): the socket, which is taken over unless it fails; a descriptor of the
// worker's page, which stays the caller's; milliseconds between two heartbeats.
Napi::Value ConnectionReceiver::OpenFd(const Napi::CallbackInfo& info) {
  int fd;
  int page;
  int32_t interval;
  const bool is_valid =
      ToFd(info[0], &fd) && ToFd(info[1], &page) && ToInt32(info[2], &interval) && interval > 0;
  if (!is_valid) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  int err = page_.Map(page);
  if (err == 0) err = AdoptSocket(info, fd);
  if (err != 0) return Result(info, err);
  beat_interval_ = static_cast<uint64_t>(interval);
  beat_due_ = uv_hrtime();
  OnBeat();
  UpdatePoll();
  return Result(info, 0);
}

// Receiving.

void ConnectionReceiver::UpdatePoll() {
  const int reads = has_ended() ? 0 : UV_READABLE;
  const int writes = writer()->wants_to_write() && !has_ended() ? UV_WRITABLE : 0;
  Poll(reads | writes, OnReady);
}

void ConnectionReceiver::OnReady(uv_poll_t* poll, int status, int events) {
  auto* self = static_cast<ConnectionReceiver*>(
      HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll)));
  const int ready = self->ReadyEvents(status, events);
  if ((ready & UV_WRITABLE) != 0) self->writer()->SendQueued();
  if ((ready & UV_READABLE) != 0) self->Receive();
  self->UpdatePoll();
}

void ConnectionReceiver::Receive() {
  const size_t before = received_.size();
  for (int i = 0; i < kMaxMessagesPerTurn && ReceiveOne(); ++i) {
  }
  if (!refused_.empty()) SendAnswers();
  if (before == 0 && !received_.empty()) Note(EventKind::kConnections);
}

// Reports whether there may be more to receive.
bool ConnectionReceiver::ReceiveOne() {
  uint32_t records[kMaxPerMessage][2];
  const uv_buf_t room = uv_buf_init(reinterpret_cast<char*>(records), sizeof(records));
  PeekedMessage message;
  const ssize_t size = TakeMessage(fd(), room, kMaxPerMessage, &message);
  if (size == UV_EAGAIN) return false;
  // It comes once, before what a primary has sent that died with answers unread.
  if (size == UV_ECONNRESET) return true;
  if (size <= 0) {
    OnEnd(size == 0 ? UV_EOF : static_cast<int>(size));
    return false;
  }
  const size_t count = static_cast<size_t>(size) / sizeof(records[0]);
  const std::vector<int>& descriptors = message.descriptors;
  const size_t came = std::min(count, descriptors.size());
  for (size_t i = 0; i < came; ++i) {
    received_.push_back({descriptors[i], records[i][0], records[i][1]});
    if ((records[i][1] & kIsListener) == 0) Count(&page_.counters()->accepted, 1);
  }
  // Those that do not fit into the table are the last ones.
  for (size_t i = came; i < count; ++i) refused_.push_back(records[i][0]);
  if (came < count && !table_waiter_.is_waiting()) table_waiter_.Wait(has_ref());
  if (came == count && !table_waiter_.is_waiting()) table_waiter_.Succeeded();
  return true;
}

// The table may have room again. Otherwise it goes on waiting.
void ConnectionReceiver::OnTable() {
  if (FreeDescriptorCount() == 0) return table_waiter_.Wait(has_ref());
  SendAnswers();
}

// takeConnections(): a Uint32Array with the descriptor, id and number of the listener of each
// connection that has come. The descriptors are the caller's from then on.
Napi::Value ConnectionReceiver::TakeConnections(const Napi::CallbackInfo& info) {
  const std::vector<Received> received = std::exchange(received_, {});
  for (const Received& each : received) environment()->Track(each.fd);
  auto list = Napi::Uint32Array::New(info.Env(), received.size() * 3);
  if (list.IsEmpty()) return list;  // The thread is being terminated.
  size_t at = 0;
  for (const Received& each : received) {
    list[at++] = static_cast<uint32_t>(each.fd);
    list[at++] = each.id;
    list[at++] = each.listener;
  }
  return list;
}

// Counting and answering.

// countAccepted(): the worker has accepted a connection by itself.
Napi::Value ConnectionReceiver::CountAccepted(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  Count(&page_.counters()->accepted, 1);
  return Result(info, 0);
}

// connectionClosed(id): the next answer reports it. 0: one that the worker has accepted by itself.
Napi::Value ConnectionReceiver::ConnectionClosed(const Napi::CallbackInfo& info) {
  double id;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInteger(info[0], 0, UINT32_MAX, &id)) return Result(info, UV_EINVAL);
  Count(&page_.counters()->closed, 1);
  if (id > 0) closed_.push_back(static_cast<uint32_t>(id));
  if (table_waiter_.is_waiting()) environment()->DescriptorClosed();
  return Result(info, 0);
}

// answer(read, taken): Uint32Arrays with the ids of connections that the program has read from,
// and of others that it has got. Sends them, and what was closed.
Napi::Value ConnectionReceiver::Answer(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  const bool is_valid = AppendNumbers(info[0], &read_) && AppendNumbers(info[1], &taken_);
  if (!is_valid) return Result(info, UV_EINVAL);
  if (!read_.empty() || !taken_.empty() || !closed_.empty()) SendAnswers();
  return Result(info, 0);
}

void ConnectionReceiver::SendAnswers() {
  do {
    size_t room = kMaxNumbers - kAnswerHead;
    std::vector<uint32_t> answer(kAnswerHead);
    std::vector<uint32_t>* const lists[] = {&read_, &taken_, &refused_, &closed_};
    for (size_t i = 0; i < std::size(lists); ++i) {
      answer[i] = MoveNumbers(lists[i], room, &answer);
      room -= answer[i];
    }
    answer[kIsFull] = table_waiter_.is_waiting() ? 1 : 0;
    OutgoingMessage message;
    message.report = OutgoingMessage::Report::kSent;
    uv_buf_t bytes = uv_buf_init(reinterpret_cast<char*>(answer.data()),
                                 static_cast<unsigned int>(answer.size() * sizeof(answer[0])));
    if (has_ended() || writer()->Enqueue(std::move(message), {&bytes, 1, nullptr, 0}) < 0) {
      return OnEnd(UV_EPIPE);
    }
  } while (!read_.empty() || !taken_.empty() || !refused_.empty() || !closed_.empty());
}

void ConnectionReceiver::OnBeat() {
  const uint64_t now = uv_hrtime();
  constexpr uint64_t kNanosecondsPerMicrosecond = 1000;
  const uint64_t delay = now > beat_due_ ? (now - beat_due_) / kNanosecondsPerMicrosecond : 0;
  page_.counters()->loop_delay.store(delay, std::memory_order_relaxed);
  page_.counters()->heartbeat.store(now / kNanosecondsPerMillisecond, std::memory_order_relaxed);
  beat_due_ = now + beat_interval_ * kNanosecondsPerMillisecond;
  beat_timer_.StartBy(beat_interval_, false);
}

void ConnectionReceiver::BeforeClose() {
  beat_timer_.Close();
  table_waiter_.Close();
  StopAndRelease().Reset();
  writer()->Close();
  std::vector<int> left;
  for (const Received& each : std::exchange(received_, {})) left.push_back(each.fd);
  environment()->closer()->Close(left);
}

}  // namespace pipewright
