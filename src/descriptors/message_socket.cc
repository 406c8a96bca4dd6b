#include "descriptors/message_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "core/arguments.h"
#include "core/class_methods.h"
#include "net/unix_address.h"
#include "net/unix_listen.h"

namespace pipewright {

namespace {

// Reads the numbers of an Int32Array, or none. False if there are more than `most`.
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
      .Add("sendDescriptors", &MessageSocket::SendDescriptors)
      .Add("getCounters", &MessageSocket::Counters);
  return DefineClass(env, "MessageSocket", methods.list(), queue);
}

MessageSocket::MessageSocket(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MessageSocket>(info),
      PolledSocket(this, static_cast<CompletionQueue*>(info.Data())),
      reader_(this),
      writer_(this) {}

// Opening.

// Takes the socket over, unless it fails.
int MessageSocket::Start(const Napi::CallbackInfo& info, UniqueFd* socket, bool keep_blocking) {
  const int err = OpenSocket(info, socket, keep_blocking);
  if (err != 0) return err;
  reader_.Open();
  AllowDescriptors(fd(), true);
  return 0;
}

// open(fd, keepBlocking?); on failure the descriptor stays the caller's.
Napi::Value MessageSocket::OpenFd(const Napi::CallbackInfo& info) {
  int fd;
  if (!ToFd(info[0], &fd)) return Result(info, UV_EINVAL);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  bool keep_blocking = false;
  ToBool(info[1], &keep_blocking);
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
  bool has_credentials = false;
  if (!ToInt32(info[0], &type)) return Result(info, UV_EINVAL);
  ToBool(info[1], &has_credentials);
  if (!is_unopened()) return Result(info, UV_EBUSY);
  UniqueFd socket;
  int err = OpenUnixSocket(type, &socket);
  if (err == 0) err = Start(info, &socket, false);
  if (err == 0 && has_credentials) SetSocketOption(fd(), SO_PASSCRED, 1);
  return Result(info, err);
}

Napi::Value MessageSocket::Bind(const Napi::CallbackInfo& info) {
  std::string name;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToString(info[0], &name)) return Result(info, UV_EINVAL);
  return Result(info, BindUnixSocket(fd(), name, &file_));
}

// connect(name): creates a stream socket if there is none yet, as PipeWrap's does. A later
// event reports the outcome.
Napi::Value MessageSocket::Connect(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ToString(info[0], &name)) return Result(info, UV_EINVAL);
  if (is_open()) {
    Note(EventKind::kConnect, ConnectUnixSocket(fd(), name));
    return Result(info, 0);
  }
  if (!is_unopened()) return Result(info, UV_EBADF);
  // A handle needs a socket: if the connection fails, it gets one that stays unconnected.
  UniqueFd socket;
  const int status = ConnectUnix(name, true, &socket);
  int err = status == 0 ? 0 : OpenUnixSocket(SOCK_STREAM, &socket);
  if (err == 0) err = Start(info, &socket, false);
  if (err == 0) Note(EventKind::kConnect, status);
  return Result(info, err);
}

// Gives the descriptor up and closes the handle. Fails with EBUSY if something received, or
// something to send, would be lost with it.
Napi::Value MessageSocket::Detach(const Napi::CallbackInfo& info) {
  if (!is_open()) return Result(info, UV_EBADF);
  if (!writer_.is_idle() || !reader_.is_idle() || queue()->HasUnread(this))
    return Result(info, UV_EBUSY);
  file_.Disown();
  const int fd = StopAndRelease().Release();
  environment()->Track(fd);
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

// Removes the file before the descriptor is closed: after that another process may have
// bound the name.
void MessageSocket::BeforeClose() {
  file_.Remove();
  StopAndRelease().Reset();
  writer_.Close();
  reader_.Close();
}

void MessageSocket::UpdatePoll() {
  const int reads = reader_.wants_to_read() ? UV_READABLE : 0;
  const int writes = writer_.wants_to_write() ? UV_WRITABLE : 0;
  Poll(reads | writes, OnReady);
}

void MessageSocket::OnReady(uv_poll_t* poll, int status, int events) {
  auto* self =
      static_cast<MessageSocket*>(HandleWrap::From(reinterpret_cast<const uv_handle_t*>(poll)));
  const int ready = self->ReadyEvents(status, events);
  if ((ready & UV_WRITABLE) != 0) self->writer_.SendQueued();
  if ((ready & UV_READABLE) != 0) self->reader_.OnReadable();
  self->UpdatePoll();
}

// Receiving.

int MessageSocket::StartReading() {
  reader_.Start();
  UpdatePoll();
  return 0;
}

int MessageSocket::StopReading() {
  reader_.Stop();
  UpdatePoll();
  return 0;
}

// receive(count): reads until `count` more descriptors came.
Napi::Value MessageSocket::ReceiveDescriptors(const Napi::CallbackInfo& info) {
  int32_t count;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[0], &count) || !is_stream()) return Result(info, UV_EINVAL);
  reader_.StartDescriptors(count);
  UpdatePoll();
  return Result(info, 0);
}

// setPlainBytes(count): a protocol above knows that the next `count` bytes carry no
// descriptors. The kernel drops descriptors that come with them all the same.
Napi::Value MessageSocket::SetPlainBytes(const Napi::CallbackInfo& info) {
  uint64_t count;
  if (!ToCount(info[0], &count)) return Result(info, UV_EINVAL);
  reader_.set_plain_bytes(count);
  return Result(info, 0);
}

Napi::Value MessageSocket::SetMaxDescriptors(const Napi::CallbackInfo& info) {
  int32_t count;
  if (!ToInt32(info[0], &count) || count < 0) return Result(info, UV_EINVAL);
  reader_.set_max_descriptors(std::min(static_cast<size_t>(count), kMaxDescriptorsPerMessage));
  return Result(info, 0);
}

// takeDescriptors(): the numbers that belong to the current event; they are the caller's.
Napi::Value MessageSocket::TakeDescriptors(const Napi::CallbackInfo& info) {
  // Taken from the reader first: filling an array may run a setter of JavaScript's.
  const std::vector<int> descriptors = reader_.TakeDescriptors();
  for (const int fd : descriptors) environment()->Track(fd);
  return ToArray(info.Env(), descriptors);
}

Napi::Value MessageSocket::TakeMessages(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::vector<MessageReader::Message> messages = reader_.TakeMessages();
  auto array = Napi::Array::New(env, messages.size());
  uint32_t index = 0;
  for (const MessageReader::Message& message : messages) {
    auto object = Napi::Object::New(env);
    object.Set("data", Napi::Buffer<char>::Copy(env, message.bytes.data(), message.bytes.size()));
    object.Set("descriptors", ToArray(env, message.descriptors));
    for (const int fd : message.descriptors) environment()->Track(fd);
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

int MessageSocket::Write(BytesToWrite bytes) { return writer_.Enqueue(OutgoingMessage(), bytes); }

// Reads the first two arguments of a send: bytes, and their descriptors if there are any.
int MessageSocket::ReadMessage(const Napi::CallbackInfo& info, uv_buf_t* bytes,
                               OutgoingMessage* message) {
  if (!is_open()) return UV_EBADF;
  const bool is_valid = ToBytes(info[0], bytes) &&
                        ToDescriptors(info[1], &message->descriptors, kMaxDescriptorsPerMessage);
  return is_valid ? 0 : UV_EINVAL;
}

// writeBuffer(bytes, descriptors?)
Napi::Value MessageSocket::WriteBuffer(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  OutgoingMessage message;
  const int err = ReadMessage(info, &bytes, &message);
  if (err != 0) return Result(info, err);
  const napi_value owner = info[0];
  return Result(info, writer_.Enqueue(std::move(message), {&bytes, 1, &owner, 1}));
}

// writeBuffers(list, descriptors?): `descriptors`, if given, has an Int32Array or undefined
// for each buffer. The list still is one write with one outcome.
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
    message.report = is_last ? OutgoingMessage::Report::kWrite : OutgoingMessage::Report::kPart;
    const size_t count = end - start;
    result = writer_.Enqueue(std::move(message), {&buffers[start], count, &elements[start], count});
  }
  return Result(info, result);
}

// send(bytes, descriptors?, name?): one message. If it is queued, onsent(1, status) reports
// its outcome.
Napi::Value MessageSocket::Send(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  OutgoingMessage message;
  const int err = ReadMessage(info, &bytes, &message);
  if (err != 0) return Result(info, err);
  if (info[2].IsString()) ToString(info[2], &message.name);
  message.report = OutgoingMessage::Report::kSent;
  const napi_value owner = info[0];
  return Result(info, writer_.Enqueue(std::move(message), {&bytes, 1, &owner, 1}));
}

// sendDescriptors(descriptors or one number, batch): sends messages of `batch` descriptors, each
// descriptor with a NUL byte. Returns how many the kernel took at once; onsent(count, status)
// reports the others, in order.
Napi::Value MessageSocket::SendDescriptors(const Napi::CallbackInfo& info) {
  int32_t batch;
  int single;
  std::vector<int> all;
  if (!is_open()) return Result(info, UV_EBADF);
  if (ToFd(info[0], &single)) {
    return Result(info, static_cast<int>(writer_.SendDescriptors(&single, 1, 1)));
  }
  if (!ToInt32(info[1], &batch) || !ToDescriptors(info[0], &all, SIZE_MAX)) {
    return Result(info, UV_EINVAL);
  }
  const auto most =
      static_cast<size_t>(std::clamp(batch, 1, static_cast<int>(kMaxDescriptorsPerMessage)));
  return Result(info, static_cast<int>(writer_.SendDescriptors(all.data(), all.size(), most)));
}

int MessageSocket::ShutDown() {
  writer_.ShutDown();
  return 0;
}

Napi::Value MessageSocket::Counters(const Napi::CallbackInfo& info) {
  auto counters = Napi::Object::New(info.Env());
  counters.Set("descriptorsRead", static_cast<double>(reader_.descriptors_read()));
  counters.Set("descriptorsWritten", static_cast<double>(writer_.descriptors_written()));
  counters.Set("messagesQueued", static_cast<double>(writer_.queued_messages()));
  counters.Set("tableWaits", static_cast<double>(reader_.table_waits()));
  counters.Set("sendWaits", static_cast<double>(writer_.send_waits()));
  counters.Set("isWaitingForTable", reader_.waits_for_table());
  return counters;
}

}  // namespace pipewright
