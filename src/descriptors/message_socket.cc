#include "descriptors/message_socket.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/arguments.h"
#include "core/class_methods.h"
#include "core/descriptor_table.h"
#include "net/unix_address.h"
#include "net/unix_listen.h"

namespace pipewright {

namespace {

constexpr uint64_t kMaxSendDelay = 100;  // Milliseconds.
constexpr int kMaxHopelessAttempts = 3;

// The numbers in an Int32Array, or none; false where there are more than `most`.
bool ToDescriptors(const Napi::Value& value, std::vector<int>* out, size_t most) {
  if (value.IsUndefined() || value.IsNull()) return true;
  if (!value.IsTypedArray()) return false;
  if (value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) return false;
  const auto array = value.As<Napi::Int32Array>();
  if (array.ElementLength() > most) return false;
  out->assign(array.Data(), array.Data() + array.ElementLength());
  return true;
}

Napi::Array ToArray(Napi::Env env, const std::vector<int>& numbers) {
  auto array = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); ++i) array.Set(i, Napi::Number::New(env, numbers[i]));
  return array;
}

// Where bytes go that are not for JavaScript, and datagrams before they are copied. A
// datagram larger than it makes it grow; the kernel allows some 600 KiB.
uv_buf_t Scratch(size_t size) {
  static thread_local std::vector<char> memory;
  if (memory.size() < size) memory.resize(size);
  return uv_buf_init(memory.data(), static_cast<unsigned int>(memory.size()));
}

int GetSocketOption(int fd, int name, int* out) {
  socklen_t length = sizeof(*out);
  return getsockopt(fd, SOL_SOCKET, name, out, &length) == 0 ? 0 : -errno;
}

void SetSocketOption(int fd, int name, int value) {
  setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}

}  // namespace

Napi::Function MessageSocket::Define(Napi::Env env, CompletionQueue* queue) {
  ClassMethods<MessageSocket> methods;
  methods.AddStream()
      .Add("open", &MessageSocket::OpenFd)
      .Add("create", &MessageSocket::Create)
      .Add("bind", &MessageSocket::Bind)
      .Add("connect", &MessageSocket::Connect)
      .Add("detach", &MessageSocket::Detach)
      .Add("keepFile", &MessageSocket::KeepFile)
      .Add("removeFile", &MessageSocket::RemoveFile)
      .Add("receive", &MessageSocket::ReceiveDescriptors)
      .Add("setPlainBytes", &MessageSocket::SetPlainBytes)
      .Add("setMaxDescriptors", &MessageSocket::SetMaxDescriptors)
      .Add("takeDescriptors", &MessageSocket::TakeDescriptors)
      .Add("takeMessages", &MessageSocket::TakeMessages)
      .Add("send", &MessageSocket::Send)
      .Add("passDescriptors", &MessageSocket::PassDescriptorsOn)
      .Add("getLocalName", &MessageSocket::LocalName)
      .Add("getCounters", &MessageSocket::Counters);
  return DefineClass(env, "MessageSocket", methods.list(), queue);
}

MessageSocket::MessageSocket(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MessageSocket>(info),
      ByteStream(this, static_cast<CompletionQueue*>(info.Data()),
                 reinterpret_cast<uv_handle_t*>(&poll_)),
      send_timer_(queue()->environment(), [this] { SendLater(); }),
      table_waiter_(queue()->environment(), [this] {
        ReceiveSome();
        UpdatePoll();
      }) {}

// Opening.

// Takes the socket over, unless it fails.
int MessageSocket::Start(const Napi::CallbackInfo& info, UniqueFd* socket, bool keep_blocking) {
  const int fd = socket->get();
  int domain = 0;
  int err = GetSocketOption(fd, SO_DOMAIN, &domain);
  if (err == 0 && domain != AF_UNIX) err = UV_EAFNOSUPPORT;
  if (err == 0) err = GetSocketOption(fd, SO_TYPE, &type_);
  if (err != 0) return err;
  const int flags = fcntl(fd, F_GETFL);
  err = Open(info, [&](uv_loop_t* loop) { return uv_poll_init(loop, &poll_, fd); });
  if (err != 0) return err;
  // libuv has made it non-blocking, for everybody who shares it; we do without.
  if (keep_blocking) fcntl(fd, F_SETFL, flags);
  SetSocketOption(fd, SO_PEEK_OFF, -1);
  // An empty message differs from the end by its credentials alone.
  SetSocketOption(fd, SO_PASSCRED, type_ == SOCK_SEQPACKET ? 1 : 0);
  PassDescriptors(fd, true);
  mode_ = type_ == SOCK_STREAM ? Mode::kBytes : Mode::kMessages;
  socket_ = std::move(*socket);
  return 0;
}

// open(fd, { keepBlocking?, credentials? }); on failure the descriptor stays the caller's.
Napi::Value MessageSocket::OpenFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  const bool keep_blocking = info[1].IsBoolean() && info[1].As<Napi::Boolean>().Value();
  UniqueFd socket(fd);
  int err = CheckAdoptable(fd);
  if (err == 0) err = Start(info, &socket, keep_blocking);
  if (err == 0) Adopted(fd);
  if (err != 0) socket.Release();
  return Result(info, err);
}

// create(type, credentials): an unconnected socket of that SOCK_* type.
Napi::Value MessageSocket::Create(const Napi::CallbackInfo& info) {
  int32_t type;
  if (!ToInt32(info[0], &type)) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_valid()) return Result(info, -errno);
  const int err = Start(info, &socket, false);
  if (err == 0 && info[1].IsBoolean() && info[1].As<Napi::Boolean>().Value()) {
    SetSocketOption(socket_.get(), SO_PASSCRED, 1);
  }
  return Result(info, err);
}

Napi::Value MessageSocket::Bind(const Napi::CallbackInfo& info) {
  std::string name;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToString(info[0], &name)) return Result(info, UV_EINVAL);
  return Result(info, BindUnixSocket(socket_.get(), name, &file_));
}

// As PipeWrap's: of a stream socket it makes the socket, too, and the outcome is told
// in a later turn.
Napi::Value MessageSocket::Connect(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ToString(info[0], &name)) return Result(info, UV_EINVAL);
  if (is_open()) {
    Note(EventKind::kConnect, ConnectUnixSocket(socket_.get(), name));
    return Result(info, 0);
  }
  if (!is_unopened()) return Result(info, UV_EBADF);
  // A handle without a socket cannot be: where the connection fails, this one is never
  // connected.
  UniqueFd socket;
  int status = ConnectUnix(name, true, &socket);
  if (status != 0) socket = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_valid()) return Result(info, -errno);
  const int err = Start(info, &socket, false);
  if (err == 0) Note(EventKind::kConnect, status);
  return Result(info, err);
}

// Gives the descriptor up and closes the handle. EBUSY while something that was
// received, or is to be sent, would be lost with it.
Napi::Value MessageSocket::Detach(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  const bool is_idle = outgoing_.empty() && received_.empty() && messages_.empty();
  if (!is_idle || queue()->HasUnread(this)) return Result(info, UV_EBUSY);
  file_.Disown();
  uv_poll_stop(&poll_);
  const int fd = socket_.Release();
  queue()->environment()->Track(fd);
  Close();
  return Result(info, fd);
}

Napi::Value MessageSocket::KeepFile(const Napi::CallbackInfo& info) {
  file_.Disown();
  return info.Env().Undefined();
}

Napi::Value MessageSocket::RemoveFile(const Napi::CallbackInfo& info) {
  file_.Remove();
  return info.Env().Undefined();
}

// Before the descriptor is closed: once it is, somebody else may have bound the name.
void MessageSocket::BeforeClose() {
  table_waiter_.Close();
  send_timer_.Close();
  file_.Remove();
  uv_poll_stop(&poll_);
  socket_.Reset();
  FailQueued(UV_ECANCELED);
  BackgroundCloser* closer = queue()->environment()->closer();
  for (const auto& descriptors : received_) closer->Close(descriptors);
  for (const Message& message : messages_) closer->Close(message.descriptors);
  received_.clear();
  messages_.clear();
}

// Polling and waiting.

void MessageSocket::UpdatePoll() {
  const int reads = wants_message() && !table_waiter_.is_waiting() ? UV_READABLE : 0;
  const int writes = !outgoing_.empty() && !waits_to_send_ ? UV_WRITABLE : 0;
  if (polled_ == (reads | writes)) return;
  polled_ = reads | writes;
  if (polled_ == 0) {
    uv_poll_stop(&poll_);
  } else {
    uv_poll_start(&poll_, polled_, OnReady);
  }
}

// A status: an error or the peer's end is pending (EPOLLERR), which libuv reports only
// so, and stops polling. Reading and writing will tell what it is.
void MessageSocket::OnReady(uv_poll_t* poll, int status, int events) {
  auto* self =
      static_cast<MessageSocket*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll)));
  if (status < 0) {
    events = self->polled_;
    self->polled_ = 0;
  }
  if ((events & UV_WRITABLE) != 0) self->SendQueued();
  if ((events & UV_READABLE) != 0) {
    self->has_polled_ = true;
    self->ReceiveSome();
  }
  self->UpdatePoll();
}

bool MessageSocket::HasPollRef() const {
  return uv_has_ref(reinterpret_cast<const uv_handle_t*>(&poll_)) != 0;
}

void MessageSocket::SendLater() {
  SendQueued();
  UpdatePoll();
}

void MessageSocket::WaitForTable() {
  ++table_waits_;
  table_waiter_.Wait(HasPollRef());
}

// Receiving.

int MessageSocket::StartReading() {
  is_reading_ = true;
  UpdatePoll();
  return 0;
}

int MessageSocket::StopReading() {
  is_reading_ = false;
  UpdatePoll();
  return 0;
}

// receive(count): reads on until so many more descriptors came. A message may have
// more than are left to receive: they all come.
Napi::Value MessageSocket::ReceiveDescriptors(const Napi::CallbackInfo& info) {
  int32_t count;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[0], &count) || type_ != SOCK_STREAM) return Result(info, UV_EINVAL);
  mode_ = Mode::kDescriptors;
  is_reading_ = true;
  credit_ = std::max(count, 0);
  UpdatePoll();
  return Result(info, 0);
}

// setPlainBytes(count): a protocol above knows that the next so many bytes have no
// descriptors. They are read by one plain read each; descriptors that come with them
// all the same are dropped by the kernel.
Napi::Value MessageSocket::SetPlainBytes(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) return Result(info, UV_EINVAL);
  const double count = info[0].As<Napi::Number>().DoubleValue();
  if (!(count >= 0 && count <= 9007199254740991.0)) return Result(info, UV_EINVAL);
  plain_bytes_ = static_cast<uint64_t>(count);
  return Result(info, 0);
}

// A message with more ends the stream with E2BIG.
Napi::Value MessageSocket::SetMaxDescriptors(const Napi::CallbackInfo& info) {
  int32_t count;
  if (!ToInt32(info[0], &count) || count < 0) return Result(info, UV_EINVAL);
  max_descriptors_ = std::min(static_cast<size_t>(count), kMaxDescriptorsPerMessage);
  return Result(info, 0);
}

void MessageSocket::ReceiveSome() {
  // Bytes: once a turn, as StreamWrap has it.
  int most = mode_ == Mode::kBytes ? 1 : kMaxMessagesPerTurn;
  while (most-- > 0 && wants_message() && ReceiveOne()) {
  }
  NoteReceived();
}

// What came in one turn is told as one event.
void MessageSocket::NoteReceived() {
  if (unnoted_ == 0) return;
  const EventKind kind = mode_ == Mode::kMessages ? EventKind::kMessages : EventKind::kDescriptors;
  Note(kind, std::exchange(unnoted_, 0));
}

// True where there may be more at once.
bool MessageSocket::ReceiveOne() {
  switch (mode_) {
    case Mode::kBytes:
      return ReceiveBytes();
    case Mode::kDescriptors:
      return ReceiveForDescriptors();
    default:
      return ReceiveMessage();
  }
}

void MessageSocket::EndReading(int err) {
  is_reading_ = false;
  NoteReceived();
  Note(EventKind::kRead, err);
}

// Whether a read of the stream gave bytes; its end and its errors are told here.
bool MessageSocket::HasBytes(ssize_t result) {
  if (result > 0) return true;
  if (result != UV_EAGAIN) EndReading(result == 0 ? UV_EOF : static_cast<int>(result));
  return false;
}

void MessageSocket::Discard(PeekedMessage* message) {
  queue()->environment()->closer()->Discard(message->descriptors);
  message->descriptors.clear();
}

// Takes what comes next in the stream: bytes into `room`, and into `message` the
// descriptors that belong to them. Returns how many bytes; 0 if there are none now.
size_t MessageSocket::TakeStream(uv_buf_t room, PeekedMessage* message) {
  const bool has_polled = std::exchange(has_polled_, false);
  const ssize_t seen = PeekMessage(socket_.get(), room, max_descriptors_, message);
  if (seen == UV_EAGAIN && has_polled) return TakeUnseen(room, message);
  if (!HasBytes(seen) || !IsComplete(*message)) return 0;
  const bool fills_room = static_cast<size_t>(seen) == room.len;
  room.len = static_cast<size_t>(seen);
  if (message->descriptors.empty()) return TakePlain(room, message);
  if (RestorePeekOffset()) {
    Discard(message);
    return 0;  // Again, in the next turn.
  }
  const ssize_t taken =
      fills_room ? TakeFullRoom(room, message) : ConsumeBytes(socket_.get(), room);
  if (taken > 0) return static_cast<size_t>(taken);
  Discard(message);  // Someone who shares the socket was faster.
  return 0;
}

// With room for descriptors, though the look has shown none: it may have been moved away
// from the head of the queue (SO_PEEK_OFF), which to ask each time would cost more.
size_t MessageSocket::TakePlain(const uv_buf_t& room, PeekedMessage* message) {
  const ssize_t taken = TakeMessage(socket_.get(), room, max_descriptors_, message);
  if (!HasBytes(taken)) return 0;
  if (message->is_truncated) {
    const bool are_too_many = message->descriptors.size() >= max_descriptors_;
    Discard(message);
    EndReading(are_too_many ? UV_E2BIG : UV_EMFILE);
    return 0;
  }
  return static_cast<size_t>(taken);
}

// Reports whether someone who shares the socket has moved the place of a look, and moves it
// back.
bool MessageSocket::RestorePeekOffset() {
  int offset = -1;
  GetSocketOption(socket_.get(), SO_PEEK_OFF, &offset);
  if (offset >= 0) SetSocketOption(socket_.get(), SO_PEEK_OFF, -1);
  return offset >= 0;
}

// A look that its room ends goes on all the same, to the first message with descriptors.
// Whether its bytes are in the room only the take tells, with room for descriptors: if any
// came, or were refused. (Without such room, options that others may have set on the
// socket would look the same.) The copies from the look are delivered in either case, so
// nothing is lost when the table is full by now.
ssize_t MessageSocket::TakeFullRoom(const uv_buf_t& room, PeekedMessage* message) {
  PeekedMessage again;
  const ssize_t taken = TakeMessage(socket_.get(), room, kMaxDescriptorsPerMessage, &again);
  const bool have_come = again.is_truncated || !again.descriptors.empty();
  Discard(&again);
  if (!have_come) Discard(message);
  return taken;
}

// poll(2) reports something that a look does not show: an out-of-band byte, which only a
// read without MSG_PEEK steps over. A message that arrives meanwhile is taken by that read,
// so there has to be room for its descriptors.
size_t MessageSocket::TakeUnseen(const uv_buf_t& room, PeekedMessage* message) {
  if (RestorePeekOffset()) return 0;
  if (FreeDescriptorCount() < static_cast<int>(max_descriptors_)) {
    WaitForTable();
    return 0;
  }
  return TakePlain(room, message);
}

bool MessageSocket::ReceiveBytes() {
  const uv_buf_t room = Room();
  if (room.len == 0) {
    EndReading(UV_ENOBUFS);
    return false;
  }
  if (plain_bytes_ > 0) return ReceivePlainBytes(room);
  PeekedMessage message;
  const size_t taken = TakeStream(room, &message);
  if (!message.descriptors.empty() && taken > 0) {
    const auto count = static_cast<int32_t>(message.descriptors.size());
    descriptors_read_ += message.descriptors.size();
    received_.push_back(std::move(message.descriptors));
    Note(EventKind::kDescriptors, count);
  }
  if (taken > 0) NoteBytes(taken);
  return false;
}

bool MessageSocket::ReceivePlainBytes(const uv_buf_t& room) {
  uv_buf_t wanted = room;
  wanted.len = static_cast<size_t>(std::min<uint64_t>(room.len, plain_bytes_));
  const ssize_t taken = ConsumeBytes(socket_.get(), wanted);
  if (!HasBytes(taken)) return false;
  plain_bytes_ -= static_cast<uint64_t>(taken);
  NoteBytes(static_cast<size_t>(taken));
  return false;
}

// The bytes only carry: usually one for each descriptor.
bool MessageSocket::ReceiveForDescriptors() {
  constexpr size_t kRoom = 4096;
  uv_buf_t room = Scratch(kRoom);
  room.len = kRoom;
  PeekedMessage message;
  const size_t taken = TakeStream(room, &message);
  if (taken == 0) return false;
  if (message.descriptors.empty()) {
    EndReading(UV_EPROTO);
    return false;
  }
  CountRead(taken);
  descriptors_read_ += message.descriptors.size();
  credit_ -= static_cast<int32_t>(std::min<size_t>(message.descriptors.size(), credit_));
  unnoted_ += static_cast<int32_t>(message.descriptors.size());
  if (received_.empty()) received_.emplace_back();
  std::vector<int>& all = received_.back();
  all.insert(all.end(), message.descriptors.begin(), message.descriptors.end());
  return true;
}

// Reports whether someone who shares a seqpacket socket has turned its credentials off, and
// turns them on again: nothing else tells an empty packet from the end.
bool MessageSocket::RestoreCredentials() {
  int has_credentials = 1;
  if (type_ != SOCK_SEQPACKET) return false;
  GetSocketOption(socket_.get(), SO_PASSCRED, &has_credentials);
  if (has_credentials == 0) SetSocketOption(socket_.get(), SO_PASSCRED, 1);
  return has_credentials == 0;
}

// Datagrams and packets are looked at and taken as a whole.
bool MessageSocket::ReceiveMessage() {
  const uv_buf_t room = Scratch(ReadSlabs::kSlabSize);
  PeekedMessage message;
  SetSocketOption(socket_.get(), SO_PEEK_OFF, -1);  // Whoever shares it may have moved it.
  const ssize_t seen = PeekMessage(socket_.get(), room, max_descriptors_, &message);
  if (seen == UV_EAGAIN) return false;
  if (seen == 0 && !message.has_credentials && RestoreCredentials()) {
    Discard(&message);
    return true;
  }
  if (seen < 0 || (seen == 0 && type_ == SOCK_SEQPACKET && !message.has_credentials)) {
    EndReading(seen == 0 ? UV_EOF : static_cast<int>(seen));
    return false;
  }
  const auto length = static_cast<size_t>(seen);
  if (length > room.len) {
    queue()->environment()->closer()->Discard(message.descriptors);
    Scratch(length);
    return true;  // Again, with the room it needs.
  }
  if (!IsComplete(message)) return false;
  ConsumeDatagram(socket_.get());
  CountRead(length);
  descriptors_read_ += message.descriptors.size();
  ++unnoted_;
  messages_.push_back({std::string(room.base, length), std::move(message.descriptors),
                       NameOf(message.sender, message.sender_length), message.has_credentials,
                       message.credentials});
  return true;
}

// Whether all descriptors of the message came. If not, they are closed, and the message
// is waited with or, where it can never come, reading ends.
bool MessageSocket::IsComplete(const PeekedMessage& message) {
  if (!message.is_truncated) {
    table_waiter_.Succeeded();
    hopeless_attempts_ = 0;
    return true;
  }
  const size_t came = message.descriptors.size();
  const int open = OpenDescriptorCount() - static_cast<int>(came);
  const int room = FreeDescriptorCount();
  queue()->environment()->closer()->Discard(message.descriptors);
  if (came >= max_descriptors_) {
    EndReading(UV_E2BIG);
    return false;
  }
  // Room enough for any message, and yet: something else refuses it, such as a security
  // module. Or all that can be closed is closed, and yet there is no room: a single
  // descriptor never is such a case, since one that is in the way can be closed.
  const bool is_refused = room >= static_cast<int>(kMaxDescriptorsPerMessage - came);
  const bool is_too_large =
      came > 0 && open > 0 && open <= queue()->environment()->first_descriptor_count() + 1;
  hopeless_attempts_ = is_refused || is_too_large ? hopeless_attempts_ + 1 : 0;
  if (hopeless_attempts_ >= kMaxHopelessAttempts) {
    EndReading(is_refused ? UV_EACCES : UV_EMFILE);
  } else {
    WaitForTable();
  }
  return false;
}

// What was received last comes with the next event; an array of numbers, which belong
// to the caller.
Napi::Value MessageSocket::TakeDescriptors(const Napi::CallbackInfo& info) {
  if (received_.empty()) return Napi::Array::New(info.Env());
  // Taken out first: to fill an array may run a setter of JavaScript's.
  const std::vector<int> descriptors = std::move(received_.front());
  for (const int fd : descriptors) queue()->environment()->Track(fd);
  received_.pop_front();
  return ToArray(info.Env(), descriptors);
}

Napi::Value MessageSocket::TakeMessages(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::vector<Message> messages = std::exchange(messages_, {});
  auto array = Napi::Array::New(env, messages.size());
  uint32_t index = 0;
  for (const Message& message : messages) {
    auto object = Napi::Object::New(env);
    object.Set("data", Napi::Buffer<char>::Copy(env, message.bytes.data(), message.bytes.size()));
    object.Set("descriptors", ToArray(env, message.descriptors));
    for (const int fd : message.descriptors) queue()->environment()->Track(fd);
    if (!message.sender.empty()) object.Set("sender", message.sender);
    if (message.has_credentials) {
      object.Set("pid", message.credentials.pid);
      object.Set("uid", message.credentials.uid);
      object.Set("gid", message.credentials.gid);
    }
    array.Set(index++, object);
  }
  return array;
}

// Sending.

// Sends now what can be sent now. An error is returned only for what was sent at once;
// later ones are told as events.
int MessageSocket::Enqueue(OutgoingMessage message, BytesToWrite bytes) {
  message.buffers.assign(bytes.buffers, bytes.buffers + bytes.count);
  CountWritten(message.size());
  const size_t descriptors = message.descriptors.size();
  if (outgoing_.empty()) {
    int err = 0;
    const Attempt attempt = SendSome(socket_.get(), type_ == SOCK_STREAM, &message, &err);
    if (message.descriptors.empty()) descriptors_written_ += descriptors;
    if (attempt == Attempt::kDone || attempt == Attempt::kFailed || attempt == Attempt::kBroken) {
      return attempt == Attempt::kDone ? 0 : err;
    }
    waits_to_send_ = attempt == Attempt::kWait;
    if (waits_to_send_) send_timer_.StartBy(send_delay_ = 1, HasPollRef());
  }
  if (!KeepMemory(&message, bytes)) return UV_ECANCELED;
  outgoing_size_ += message.size();
  outgoing_.push_back(std::move(message));
  UpdatePoll();
  return 1;
}

// The NUL bytes that carry descriptors are there for good.
bool MessageSocket::KeepMemory(OutgoingMessage* message, const BytesToWrite& bytes) {
  if (message->carries_nul_bytes) return true;
  BytesToWrite rest = bytes;
  rest.buffers = message->buffers.data();
  rest.count = message->buffers.size();
  message->kept = std::make_unique<KeptBytes>();
  const bool is_kept = message->kept->Keep(queue()->environment()->env(), &rest);
  message->buffers.resize(rest.count);
  return is_kept;
}

int MessageSocket::Write(BytesToWrite bytes) { return Enqueue(OutgoingMessage(), bytes); }

// False once the kernel takes no more for now.
bool MessageSocket::SendQueued() {
  const bool had_to_wait = std::exchange(waits_to_send_, false);
  bool progressed = false;
  while (!outgoing_.empty()) {
    OutgoingMessage& message = outgoing_.front();
    int err = 0;
    const size_t before = message.size();
    const size_t descriptors = message.descriptors.size();
    const Attempt attempt = failed_part_ != 0
                                ? Attempt::kFailed
                                : SendSome(socket_.get(), type_ == SOCK_STREAM, &message, &err);
    if (failed_part_ != 0) err = failed_part_;
    if (message.descriptors.empty()) descriptors_written_ += descriptors;
    progressed = progressed || message.size() < before || attempt == Attempt::kDone;
    if (attempt == Attempt::kWouldBlock || attempt == Attempt::kWait) {
      NoteSent();
      outgoing_size_ -= before - message.size();
      waits_to_send_ = attempt == Attempt::kWait;
      if (!waits_to_send_) return false;
      ++send_waits_;
      send_delay_ = had_to_wait && !progressed ? std::min(send_delay_ * 2, kMaxSendDelay) : 1;
      send_timer_.StartBy(send_delay_, HasPollRef());
      return false;
    }
    if (attempt == Attempt::kBroken) {
      FailQueued(err);
      break;
    }
    outgoing_size_ -= before;
    const OutgoingMessage done = std::move(message);
    outgoing_.pop_front();
    Report(done, attempt == Attempt::kDone ? 0 : err);
  }
  NoteSent();
  if (shuts_down_) FinishShutdown();
  return true;
}

// What was sent in a row is told as one event.
void MessageSocket::NoteSent() {
  if (sent_ > 0) Note(EventKind::kSent, std::exchange(sent_, 0), 0);
}

void MessageSocket::Report(const OutgoingMessage& message, int status) {
  switch (message.report) {
    case OutgoingMessage::Report::kNext:
      if (status != 0) failed_part_ = status;
      return;
    case OutgoingMessage::Report::kWrite:
      failed_part_ = 0;
      return Note(EventKind::kWrite, status);
    case OutgoingMessage::Report::kSent:
      if (status == 0) {
        sent_ += message.count;
        return;
      }
      NoteSent();
      return Note(EventKind::kSent, message.count, status);
  }
}

void MessageSocket::FailQueued(int err) {
  while (!outgoing_.empty()) {
    const OutgoingMessage message = std::move(outgoing_.front());
    outgoing_.pop_front();
    Report(message, err);
  }
  outgoing_size_ = 0;
  waits_to_send_ = false;
}

// writeBuffer(bytes, descriptors?)
Napi::Value MessageSocket::WriteBuffer(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  OutgoingMessage message;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToBytes(info[0], &bytes) ||
      !ToDescriptors(info[1], &message.descriptors, kMaxDescriptorsPerMessage)) {
    return Result(info, UV_EINVAL);
  }
  const napi_value owner = info[0];
  return Result(info, Enqueue(std::move(message), {&bytes, 1, &owner, 1}));
}

// writeBuffers(list, descriptors?): `descriptors`, if given, has one Int32Array or
// undefined for each of the buffers. One write all the same.
Napi::Value MessageSocket::WriteBuffers(const Napi::CallbackInfo& info) {
  if (!info[1].IsArray()) return ByteStream::WriteBuffers(info);
  std::vector<napi_value> elements;
  std::vector<uv_buf_t> buffers;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ReadList(info[0], &elements)) return Result(info, UV_EINVAL);
  std::vector<std::vector<int>> descriptors(elements.size());
  for (uint32_t i = 0; i < elements.size(); ++i) {
    const Napi::Value item = info[1].As<Napi::Array>().Get(i);
    if (!ToDescriptors(item, &descriptors[i], kMaxDescriptorsPerMessage)) {
      return Result(info, UV_EINVAL);
    }
  }
  // A getter of a list may have closed this handle.
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ReadMemory(info.Env(), elements, &buffers)) return Result(info, UV_EINVAL);
  int result = 0;
  for (size_t start = 0, end = 0; start < buffers.size() && result >= 0; start = end) {
    OutgoingMessage message;
    message.descriptors = std::move(descriptors[start]);
    // Descriptors begin a message of their own.
    for (end = start + 1; end < buffers.size() && descriptors[end].empty();) ++end;
    const bool is_last = end == buffers.size();
    message.report = is_last ? OutgoingMessage::Report::kWrite : OutgoingMessage::Report::kNext;
    const size_t count = end - start;
    result = Enqueue(std::move(message), {&buffers[start], count, &elements[start], count});
  }
  return Result(info, result);
}

// send(bytes, descriptors?, name?): one message, whose end onsent(1, status) tells if
// it was queued.
Napi::Value MessageSocket::Send(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  OutgoingMessage message;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToBytes(info[0], &bytes) ||
      !ToDescriptors(info[1], &message.descriptors, kMaxDescriptorsPerMessage)) {
    return Result(info, UV_EINVAL);
  }
  if (info[2].IsString()) ToString(info[2], &message.name);
  message.report = OutgoingMessage::Report::kSent;
  const napi_value owner = info[0];
  return Result(info, Enqueue(std::move(message), {&bytes, 1, &owner, 1}));
}

// passDescriptors(descriptors or one number, batch): a NUL byte and a descriptor each, `batch` of
// them a message. Returns how many the kernel took at once; onsent(count, status) tells
// of the others, in order.
Napi::Value MessageSocket::PassDescriptorsOn(const Napi::CallbackInfo& info) {
  int32_t batch;
  int single;
  std::vector<int> all;
  if (!is_open()) return Result(info, UV_EBADF);
  if (ToFd(info[0], &single)) {
    const int result = PassOn(&single, 1);
    if (result < 0) Note(EventKind::kSent, 1, result);
    return Result(info, result == 0 ? 1 : 0);
  }
  if (!ToInt32(info[1], &batch) || !ToDescriptors(info[0], &all, SIZE_MAX)) {
    return Result(info, UV_EINVAL);
  }
  const auto most =
      static_cast<size_t>(std::clamp(batch, 1, static_cast<int>(kMaxDescriptorsPerMessage)));
  size_t taken = 0;
  for (size_t at = 0; at < all.size(); at += most) {
    const size_t count = std::min(most, all.size() - at);
    const int result = PassOn(all.data() + at, count);
    if (result == 0 && taken == at) {
      taken += count;
    } else if (result <= 0) {
      Note(EventKind::kSent, static_cast<int32_t>(count), result);
    }
  }
  return Result(info, static_cast<int>(taken));
}

// One message. Fast path: with an empty queue, sends without building an OutgoingMessage.
int MessageSocket::PassOn(const int* descriptors, size_t count) {
  static char nul_bytes[kMaxDescriptorsPerMessage] = {};
  uv_buf_t bytes = uv_buf_init(nul_bytes, static_cast<unsigned int>(count));
  if (outgoing_.empty() && SendMessage(socket_.get(), &bytes, 1, descriptors, count, nullptr, 0) ==
                               static_cast<ssize_t>(count)) {
    descriptors_written_ += count;
    CountWritten(count);
    return 0;
  }
  OutgoingMessage message;
  message.carries_nul_bytes = true;
  message.descriptors.assign(descriptors, descriptors + count);
  message.report = OutgoingMessage::Report::kSent;
  message.count = static_cast<int32_t>(count);
  return Enqueue(std::move(message), {&bytes, 1, nullptr, 0});
}

int MessageSocket::ShutDown() {
  shuts_down_ = true;
  if (outgoing_.empty()) FinishShutdown();
  return 0;
}

void MessageSocket::FinishShutdown() {
  shuts_down_ = false;
  const int status = shutdown(socket_.get(), SHUT_WR) == 0 ? 0 : -errno;
  Note(EventKind::kShutdown, status);
}

// What there is to know about it.

Napi::Value MessageSocket::LocalName(const Napi::CallbackInfo& info) {
  sockaddr_un address{};
  socklen_t length = sizeof(address);
  if (!is_open()) return Result(info, UV_EBADF);
  if (!file_.path().empty()) return Napi::String::New(info.Env(), file_.path());
  if (getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return Result(info, -errno);
  }
  return Napi::String::New(info.Env(), NameOf(address, length));
}

Napi::Value MessageSocket::Counters(const Napi::CallbackInfo& info) {
  auto counters = Napi::Object::New(info.Env());
  counters.Set("descriptorsRead", static_cast<double>(descriptors_read_));
  counters.Set("descriptorsWritten", static_cast<double>(descriptors_written_));
  counters.Set("messagesQueued", static_cast<double>(outgoing_.size()));
  counters.Set("tableWaits", static_cast<double>(table_waits_));
  counters.Set("sendWaits", static_cast<double>(send_waits_));
  counters.Set("isWaitingForTable", table_waiter_.is_waiting());
  return counters;
}

}  // namespace pipewright
