#include "descriptors/message_writer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "descriptors/ancillary.h"

namespace pipewright {

namespace {

constexpr uint64_t kMaxSendDelay = 100;  // Milliseconds.

}  // namespace

MessageWriter::MessageWriter(PolledSocket* socket)
    : socket_(socket), send_timer_(socket->environment(), [this] {
        SendQueued();
        socket_->UpdatePoll();
      }) {}

void MessageWriter::Close() {
  send_timer_.Close();
  FailQueued(UV_ECANCELED);
}

int MessageWriter::Enqueue(OutgoingMessage message, BytesToWrite bytes) {
  message.buffers.assign(bytes.buffers, bytes.buffers + bytes.count);
  socket_->CountWritten(message.size());
  const size_t descriptors = message.descriptors.size();
  if (outgoing_.empty()) {
    int err = 0;
    const Attempt attempt = SendSome(socket_->fd(), socket_->is_stream(), &message, &err);
    if (message.descriptors.empty()) descriptors_written_ += descriptors;
    if (attempt == Attempt::kDone || attempt == Attempt::kFailed || attempt == Attempt::kBroken) {
      return attempt == Attempt::kDone ? 0 : err;
    }
    waits_to_send_ = attempt == Attempt::kWait;
    if (waits_to_send_) send_timer_.StartBy(send_delay_ = 1, socket_->has_ref());
  }
  if (!KeepMemory(&message, bytes)) return UV_ECANCELED;
  outgoing_size_ += message.size();
  outgoing_.push_back(std::move(message));
  socket_->UpdatePoll();
  return 1;
}

// The NUL bytes that carry descriptors are static, so there is nothing to keep.
bool MessageWriter::KeepMemory(OutgoingMessage* message, const BytesToWrite& bytes) {
  if (message->carries_nul_bytes) return true;
  BytesToWrite rest = bytes;
  rest.buffers = message->buffers.data();
  rest.count = message->buffers.size();
  message->kept = std::make_unique<KeptBytes>();
  const bool is_kept = message->kept->Keep(socket_->environment()->env(), &rest);
  message->buffers.resize(rest.count);
  return is_kept;
}

// Looked up before each attempt: JavaScript may have taken the memory away in between.
bool MessageWriter::HasMemory(const OutgoingMessage& message) {
  return message.kept == nullptr ||
         message.kept->StillHas(message.buffers.data(), message.buffers.size());
}

void MessageWriter::SendQueued() {
  const bool had_to_wait = std::exchange(waits_to_send_, false);
  bool progressed = false;
  while (!outgoing_.empty()) {
    OutgoingMessage& message = outgoing_.front();
    int err = failed_part_;
    const size_t before = message.size();
    const size_t descriptors = message.descriptors.size();
    if (err == 0 && !HasMemory(message)) err = UV_EFAULT;
    const Attempt attempt =
        err != 0 ? Attempt::kFailed : SendSome(socket_->fd(), socket_->is_stream(), &message, &err);
    if (message.descriptors.empty()) descriptors_written_ += descriptors;
    progressed = progressed || message.size() < before || attempt == Attempt::kDone;
    if (attempt == Attempt::kWouldBlock || attempt == Attempt::kWait) {
      NoteSent();
      outgoing_size_ -= before - message.size();
      waits_to_send_ = attempt == Attempt::kWait;
      if (!waits_to_send_) return;
      ++send_waits_;
      send_delay_ = had_to_wait && !progressed ? std::min(send_delay_ * 2, kMaxSendDelay) : 1;
      send_timer_.StartBy(send_delay_, socket_->has_ref());
      return;
    }
    if (attempt == Attempt::kBroken) {
      FailQueued(err);
      break;
    }
    outgoing_size_ -= before;
    const OutgoingMessage done = std::move(message);
    outgoing_.pop_front();
    ReportEnd(done, attempt == Attempt::kDone ? 0 : err);
  }
  NoteSent();
  if (shuts_down_) FinishShutdown();
}

// One event reports all that was sent in a row.
void MessageWriter::NoteSent() {
  if (sent_ > 0) socket_->Note(EventKind::kSent, std::exchange(sent_, 0), 0);
}

void MessageWriter::ReportEnd(const OutgoingMessage& message, int status) {
  switch (message.report) {
    case OutgoingMessage::Report::kPart:
      if (status != 0) failed_part_ = status;
      return;
    case OutgoingMessage::Report::kWrite:
      failed_part_ = 0;
      return socket_->Note(EventKind::kWrite, status);
    case OutgoingMessage::Report::kSent:
      if (status == 0) {
        sent_ += message.count;
        return;
      }
      NoteSent();
      return socket_->Note(EventKind::kSent, message.count, status);
  }
}

void MessageWriter::FailQueued(int err) {
  while (!outgoing_.empty()) {
    const OutgoingMessage message = std::move(outgoing_.front());
    outgoing_.pop_front();
    ReportEnd(message, err);
  }
  outgoing_size_ = 0;
  waits_to_send_ = false;
}

// Sends one message. Fast path: with an empty queue, sends without building an OutgoingMessage.
int MessageWriter::SendBatch(const int* descriptors, size_t count) {
  static char nul_bytes[kMaxDescriptorsPerMessage] = {};
  uv_buf_t bytes = uv_buf_init(nul_bytes, static_cast<unsigned int>(count));
  if (outgoing_.empty() && SendMessage(socket_->fd(), &bytes, 1, descriptors, count, nullptr, 0) ==
                               static_cast<ssize_t>(count)) {
    descriptors_written_ += count;
    socket_->CountWritten(count);
    return 0;
  }
  OutgoingMessage message;
  message.carries_nul_bytes = true;
  message.descriptors.assign(descriptors, descriptors + count);
  message.report = OutgoingMessage::Report::kSent;
  message.count = static_cast<int32_t>(count);
  return Enqueue(std::move(message), {&bytes, 1, nullptr, 0});
}

size_t MessageWriter::SendDescriptors(const int* descriptors, size_t count, size_t batch) {
  size_t taken = 0;
  for (size_t at = 0; at < count; at += batch) {
    const size_t size = std::min(batch, count - at);
    const int result = SendBatch(descriptors + at, size);
    if (result == 0 && taken == at) {
      taken += size;
    } else if (result <= 0) {
      socket_->Note(EventKind::kSent, static_cast<int32_t>(size), result);
    }
  }
  return taken;
}

void MessageWriter::ShutDown() {
  shuts_down_ = true;
  if (outgoing_.empty()) FinishShutdown();
}

void MessageWriter::FinishShutdown() {
  shuts_down_ = false;
  const int status = shutdown(socket_->fd(), SHUT_WR) == 0 ? 0 : -errno;
  socket_->Note(EventKind::kShutdown, status);
}

}  // namespace pipewright
