#include "descriptors/message_reader.h"

#include <algorithm>
#include <utility>

#include "core/descriptor_table.h"
#include "net/socket_info.h"
#include "net/unix_address.h"

namespace pipewright {

namespace {

constexpr int kMaxHopelessAttempts = 3;
// A turn receives no more, so that a flood leaves time for other handles.
constexpr int kMaxMessagesPerTurn = 64;

// Memory for bytes that JavaScript does not get, and for datagrams before they are copied. All
// readers of a thread share it. A larger datagram makes it grow; the kernel allows some 600 KiB.
uv_buf_t ReceiveBuffer(size_t size) {
  static thread_local std::vector<char> memory;
  if (memory.size() < size) memory.resize(size);
  return uv_buf_init(memory.data(), static_cast<unsigned int>(memory.size()));
}

}  // namespace

MessageReader::MessageReader(PolledSocket* socket)
    : socket_(socket), table_waiter_(socket->environment(), [this] {
        ReceiveSome();
        socket_->UpdatePoll();
      }) {}

void MessageReader::Open() {
  SetSocketOption(socket_->fd(), SO_PEEK_OFF, -1);
  // Only its credentials distinguish an empty packet from the end.
  SetSocketOption(socket_->fd(), SO_PASSCRED, socket_->type() == SOCK_SEQPACKET ? 1 : 0);
  mode_ = socket_->is_stream() ? Mode::kBytes : Mode::kMessages;
}

void MessageReader::Close() {
  table_waiter_.Close();
  BackgroundCloser* closer = socket_->environment()->closer();
  for (const auto& descriptors : received_) closer->Close(descriptors);
  for (const Message& message : messages_) closer->Close(message.descriptors);
  received_.clear();
  messages_.clear();
}

void MessageReader::StartDescriptors(int32_t count) {
  mode_ = Mode::kDescriptors;
  is_reading_ = true;
  credit_ = std::max(count, 0);
}

void MessageReader::OnReadable() {
  has_polled_ = true;
  ReceiveSome();
}

std::vector<int> MessageReader::TakeDescriptors() {
  if (received_.empty()) return {};
  std::vector<int> descriptors = std::move(received_.front());
  received_.pop_front();
  return descriptors;
}

std::vector<MessageReader::Message> MessageReader::TakeMessages() {
  return std::exchange(messages_, {});
}

void MessageReader::WaitForTable() {
  ++table_waits_;
  table_waiter_.Wait(socket_->has_ref());
}

void MessageReader::ReceiveSome() {
  // A stream of bytes is read once a turn, as by StreamWrap.
  int most = mode_ == Mode::kBytes ? 1 : kMaxMessagesPerTurn;
  while (most-- > 0 && wants_message() && ReceiveOne()) {
  }
  NoteReceived();
}

// One event reports all that came in one turn.
void MessageReader::NoteReceived() {
  if (unnoted_ == 0) return;
  const EventKind kind = mode_ == Mode::kMessages ? EventKind::kMessages : EventKind::kDescriptors;
  socket_->Note(kind, std::exchange(unnoted_, 0));
}

// Reports whether there may be more to receive at once.
bool MessageReader::ReceiveOne() {
  switch (mode_) {
    case Mode::kBytes:
      ReceiveBytes();
      return false;
    case Mode::kDescriptors:
      return ReceiveForDescriptors();
    default:
      return ReceiveMessage();
  }
}

void MessageReader::EndReading(int err) {
  is_reading_ = false;
  NoteReceived();
  socket_->Note(EventKind::kRead, err);
}

// Reports whether a read of the stream gave bytes. Notes the end and errors.
bool MessageReader::HasBytes(ssize_t result) {
  if (result > 0) return true;
  if (result != UV_EAGAIN) EndReading(result == 0 ? UV_EOF : static_cast<int>(result));
  return false;
}

void MessageReader::Discard(PeekedMessage* message) {
  socket_->environment()->closer()->Discard(message->descriptors);
  message->descriptors.clear();
}

// Takes what comes next in the stream: bytes into `room`, and into `message` the
// descriptors that belong to them. Returns the number of bytes, 0 if there are none now.
size_t MessageReader::TakeStream(uv_buf_t room, PeekedMessage* message) {
  const bool has_polled = std::exchange(has_polled_, false);
  const ssize_t seen = PeekMessage(socket_->fd(), room, max_descriptors_, message);
  if (seen == UV_EAGAIN && has_polled) return TakeUnseen(room, message);
  if (!HasBytes(seen) || !IsComplete(*message)) return 0;
  const bool fills_room = static_cast<size_t>(seen) == room.len;
  room.len = static_cast<size_t>(seen);
  if (message->descriptors.empty()) return TakePlain(room, message);
  if (RestorePeekOffset()) {
    Discard(message);
    return 0;  // The next turn looks again.
  }
  const ssize_t taken =
      fills_room ? TakeFullRoom(room, message) : ConsumeBytes(socket_->fd(), room);
  if (taken > 0) return static_cast<size_t>(taken);
  Discard(message);  // Another process that shares the socket was faster.
  return 0;
}

// Takes with room for descriptors, though the look has shown none: another process may have
// moved the look away from the head of the queue (SO_PEEK_OFF). Asking for that option each
// time would cost more.
size_t MessageReader::TakePlain(const uv_buf_t& room, PeekedMessage* message) {
  const ssize_t taken = TakeMessage(socket_->fd(), room, max_descriptors_, message);
  if (!HasBytes(taken)) return 0;
  if (message->is_truncated) {
    const bool are_too_many = message->descriptors.size() >= max_descriptors_;
    Discard(message);
    EndReading(are_too_many ? UV_E2BIG : UV_EMFILE);
    return 0;
  }
  return static_cast<size_t>(taken);
}

// Reports whether another process that shares the socket has moved the place of a look, and
// moves it back.
bool MessageReader::RestorePeekOffset() {
  int offset = -1;
  GetSocketOption(socket_->fd(), SO_PEEK_OFF, &offset);
  if (offset >= 0) SetSocketOption(socket_->fd(), SO_PEEK_OFF, -1);
  return offset >= 0;
}

// If the bytes fill the room, the look may have gone on to a message behind them and shown its
// descriptors. Only a take with room for descriptors shows it: if any come, or are refused,
// they belong to these bytes. (A take without such room would set MSG_CTRUNC for other
// options of the socket too.) The copies from the look are the ones delivered, so
// nothing is lost if the table is full by now.
ssize_t MessageReader::TakeFullRoom(const uv_buf_t& room, PeekedMessage* message) {
  PeekedMessage again;
  const ssize_t taken = TakeMessage(socket_->fd(), room, kMaxDescriptorsPerMessage, &again);
  const bool have_come = again.is_truncated || !again.descriptors.empty();
  Discard(&again);
  if (!have_come) Discard(message);
  return taken;
}

// poll(2) has reported something that a look does not show: an out-of-band byte, which only a
// read without MSG_PEEK steps over. That read takes a message that arrives meanwhile,
// so the table needs room for its descriptors.
size_t MessageReader::TakeUnseen(const uv_buf_t& room, PeekedMessage* message) {
  if (RestorePeekOffset()) return 0;
  if (FreeDescriptorCount() < static_cast<int>(max_descriptors_)) {
    WaitForTable();
    return 0;
  }
  return TakePlain(room, message);
}

void MessageReader::ReceiveBytes() {
  const uv_buf_t room = socket_->Room();
  if (room.len == 0) {
    EndReading(UV_ENOBUFS);
    return;
  }
  if (plain_bytes_ > 0) return ReceivePlainBytes(room);
  PeekedMessage message;
  const size_t taken = TakeStream(room, &message);
  if (!message.descriptors.empty() && taken > 0) {
    const auto count = static_cast<int32_t>(message.descriptors.size());
    descriptors_read_ += message.descriptors.size();
    received_.push_back(std::move(message.descriptors));
    socket_->Note(EventKind::kDescriptors, count);
  }
  if (taken > 0) socket_->NoteBytes(taken);
}

void MessageReader::ReceivePlainBytes(const uv_buf_t& room) {
  uv_buf_t wanted = room;
  wanted.len = static_cast<size_t>(std::min<uint64_t>(room.len, plain_bytes_));
  const ssize_t taken = ConsumeBytes(socket_->fd(), wanted);
  if (!HasBytes(taken)) return;
  plain_bytes_ -= static_cast<uint64_t>(taken);
  socket_->NoteBytes(static_cast<size_t>(taken));
}

// The bytes only carry the descriptors, usually one byte each, and are thrown away.
bool MessageReader::ReceiveForDescriptors() {
  constexpr size_t kRoom = 4096;
  uv_buf_t room = ReceiveBuffer(kRoom);
  room.len = kRoom;
  PeekedMessage message;
  const size_t taken = TakeStream(room, &message);
  if (taken == 0) return false;
  if (message.descriptors.empty()) {
    EndReading(UV_EPROTO);
    return false;
  }
  socket_->CountRead(taken);
  descriptors_read_ += message.descriptors.size();
  credit_ -= static_cast<int32_t>(std::min<size_t>(message.descriptors.size(), credit_));
  unnoted_ += static_cast<int32_t>(message.descriptors.size());
  if (received_.empty()) received_.emplace_back();
  std::vector<int>& all = received_.back();
  all.insert(all.end(), message.descriptors.begin(), message.descriptors.end());
  return true;
}

// Reports whether another process that shares a seqpacket socket has turned its credentials
// off, and turns them on again: only they distinguish an empty packet from the end.
bool MessageReader::RestoreCredentials() {
  int has_credentials = 1;
  if (socket_->type() != SOCK_SEQPACKET) return false;
  GetSocketOption(socket_->fd(), SO_PASSCRED, &has_credentials);
  if (has_credentials == 0) SetSocketOption(socket_->fd(), SO_PASSCRED, 1);
  return has_credentials == 0;
}

// Looks at a datagram or packet, and takes it as a whole.
bool MessageReader::ReceiveMessage() {
  const uv_buf_t room = ReceiveBuffer(ReadSlabs::kSlabSize);
  PeekedMessage message;
  SetSocketOption(socket_->fd(), SO_PEEK_OFF, -1);  // A process that shares it may have moved it.
  const ssize_t seen = PeekMessage(socket_->fd(), room, max_descriptors_, &message);
  if (seen == UV_EAGAIN) return false;
  if (seen == 0 && !message.has_credentials && RestoreCredentials()) {
    Discard(&message);
    return true;
  }
  if (seen < 0 || (seen == 0 && socket_->type() == SOCK_SEQPACKET && !message.has_credentials)) {
    EndReading(seen == 0 ? UV_EOF : static_cast<int>(seen));
    return false;
  }
  const auto length = static_cast<size_t>(seen);
  if (length > room.len) {
    socket_->environment()->closer()->Discard(message.descriptors);
    ReceiveBuffer(length);
    return true;  // The next look has the room it needs.
  }
  if (!IsComplete(message)) return false;
  ConsumeDatagram(socket_->fd());
  socket_->CountRead(length);
  descriptors_read_ += message.descriptors.size();
  ++unnoted_;
  messages_.push_back({std::string(room.base, length), std::move(message.descriptors),
                       NameOf(message.sender, message.sender_length), message.has_credentials,
                       message.credentials});
  return true;
}

// Reports whether all descriptors of the message came. If not, closes them, and waits for
// room in the table or, if the message can never come, ends reading.
bool MessageReader::IsComplete(const PeekedMessage& message) {
  if (!message.is_truncated) {
    table_waiter_.Succeeded();
    hopeless_attempts_ = 0;
    return true;
  }
  const size_t came = message.descriptors.size();
  const int open = OpenDescriptorCount() - static_cast<int>(came);
  const int room = FreeDescriptorCount();
  socket_->environment()->closer()->Discard(message.descriptors);
  if (came >= max_descriptors_) {
    EndReading(UV_E2BIG);
    return false;
  }
  // Refused: the table has room for any message, so something else refuses the descriptors,
  // such as a security module. Too large: the process has closed all that it can, and there
  // still is no room. That needs a first descriptor to have come: a single one that does not
  // fit can still be given room by closing one.
  const bool is_refused = room >= static_cast<int>(kMaxDescriptorsPerMessage - came);
  const bool is_too_large =
      came > 0 && open > 0 && open <= socket_->environment()->first_descriptor_count() + 1;
  hopeless_attempts_ = is_refused || is_too_large ? hopeless_attempts_ + 1 : 0;
  if (hopeless_attempts_ >= kMaxHopelessAttempts) {
    EndReading(is_refused ? UV_EACCES : UV_EMFILE);
  } else {
    WaitForTable();
  }
  return false;
}

}  // namespace pipewright
