#include "net/byte_stream.h"

#include <string>
#include <vector>

#include "core/arguments.h"
#include "core/freed_memory.h"
#include "core/read_slab.h"

namespace pipewright {

size_t BytesToWrite::size() const {
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += buffers[i].len;
  return total;
}

void BytesToWrite::Advance(size_t written) {
  while (count > 0 && written >= buffers->len) {
    written -= buffers->len;
    ++buffers;
    --count;
  }
  if (count == 0) return;
  buffers->base += written;
  buffers->len -= written;
}

bool KeptBytes::Keep(Napi::Env env, BytesToWrite* bytes) {
  if (bytes->owner_count == 1) {
    owner = Napi::Persistent(Napi::Value(env, bytes->owners[0]));
  } else if (bytes->owner_count > 1) {
    // A list of our own holds the owners: the caller may empty its list meanwhile.
    auto list = Napi::Array::New(env, bytes->owner_count);
    for (uint32_t i = 0; i < bytes->owner_count; ++i) {
      if (napi_set_element(env, list, i, bytes->owners[i]) != napi_ok) return false;
    }
    owner = Napi::Persistent(Napi::Value(list));
  } else {
    for (size_t i = 0; i < bytes->count; ++i) {
      copy.append(bytes->buffers[i].base, bytes->buffers[i].len);
    }
    bytes->buffers[0].base = copy.data();
    bytes->buffers[0].len = copy.size();
    bytes->count = 1;
  }
  return true;
}

namespace {

bool HasMemory(const Napi::Value& owner, const uv_buf_t& part) {
  uv_buf_t whole;
  if (part.len == 0) return true;
  if (!ToBytes(owner, &whole)) return false;
  return part.base >= whole.base && part.base + part.len <= whole.base + whole.len;
}

}  // namespace

bool KeptBytes::StillHas(const uv_buf_t* buffers, size_t count) const {
  if (owner.IsEmpty()) return true;  // The memory is the copy.
  const Napi::Env env = owner.Env();
  Napi::HandleScope scope(env);
  const Napi::Value value = owner.Value();
  if (!value.IsArray()) return count == 0 || HasMemory(value, buffers[0]);
  const auto first = static_cast<uint32_t>(value.As<Napi::Array>().Length() - count);
  for (uint32_t i = 0; i < count; ++i) {
    napi_value element;
    if (napi_get_element(env, value, first + i, &element) != napi_ok) return false;
    if (!HasMemory(Napi::Value(env, element), buffers[i])) return false;
  }
  return true;
}

// Reading.

Napi::Value ByteStream::ReadStart(const Napi::CallbackInfo& info) {
  return Result(info, is_open() ? StartReading() : UV_EBADF);
}

Napi::Value ByteStream::ReadStop(const Napi::CallbackInfo& info) {
  return Result(info, is_open() ? StopReading() : UV_EBADF);
}

Napi::Value ByteStream::UseUserBuffer(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  if (info[0].IsNull()) {
    user_buffer_.Reset();
    return Result(info, 0);
  }
  if (!ToBytes(info[0], &bytes)) return Result(info, UV_EINVAL);
  if (bytes.len >= ReadSlabs::kSlabSize) KeepFreedMemory();
  user_buffer_ = Napi::Persistent(Napi::Value(info[0]));
  return Result(info, 0);
}

// This is looked up before each read: the buffer may have been detached in between.
uv_buf_t ByteStream::UserBuffer() const {
  Napi::HandleScope scope(queue()->environment()->env());
  uv_buf_t bytes;
  return ToBytes(user_buffer_.Value(), &bytes) ? bytes : uv_buf_init(nullptr, 0);
}

uv_buf_t ByteStream::Room() {
  return has_user_buffer() ? UserBuffer() : queue()->slabs()->Allocate(last_read_was_large_);
}

void ByteStream::NoteBytes(size_t length) {
  bytes_read_ += length;
  const auto result = static_cast<int32_t>(length);
  if (has_user_buffer()) return Note(EventKind::kReadOwn, result);
  const auto place = queue()->slabs()->Commit(length);
  last_read_was_large_ = length >= ReadSlabs::kGiveAwaySize;
  Note(place.given_away ? EventKind::kReadSlab : EventKind::kRead, result, place.position);
}

// Writing.

Napi::Value ByteStream::WriteBuffer(const Napi::CallbackInfo& info) {
  uv_buf_t bytes;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToBytes(info[0], &bytes)) return Result(info, UV_EINVAL);
  const napi_value owner = info[0];
  return Result(info, Write({&bytes, 1, &owner, 1}));
}

Napi::Value ByteStream::WriteBuffers(const Napi::CallbackInfo& info) {
  std::vector<napi_value> elements;
  std::vector<uv_buf_t> buffers;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ReadList(info[0], &elements)) return Result(info, UV_EINVAL);
  // A getter of the list may have closed this handle.
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ReadMemory(info.Env(), elements, &buffers)) return Result(info, UV_EINVAL);
  return Result(info, Write({buffers.data(), buffers.size(), elements.data(), elements.size()}));
}

// Stops at the first element that is no Buffer: a sparse list of great length costs nothing.
bool ByteStream::ReadList(const Napi::Value& list, std::vector<napi_value>* elements) {
  if (!list.IsArray()) return false;
  const auto array = list.As<Napi::Array>();
  uv_buf_t bytes;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value element = array.Get(i);
    if (!ToBytes(element, &bytes)) return false;
    elements->push_back(element);
  }
  return true;
}

bool ByteStream::ReadMemory(Napi::Env env, const std::vector<napi_value>& elements,
                            std::vector<uv_buf_t>* buffers) {
  uv_buf_t bytes;
  for (const napi_value element : elements) {
    if (!ToBytes(Napi::Value(env, element), &bytes)) return false;
    buffers->push_back(bytes);
  }
  return true;
}

// Short strings are encoded on the stack, so that most writes allocate nothing.
template <typename Encode>
Napi::Value ByteStream::WriteString(const Napi::CallbackInfo& info, Encode encode) {
  if (!is_open()) return Result(info, UV_EBADF);
  if (!info[0].IsString()) return Result(info, UV_EINVAL);
  char small[16 * 1024];
  // A character takes up to four bytes and is never split. If less than four bytes are
  // left over, the string may be longer.
  constexpr size_t kSureToFit = sizeof(small) - 4;
  size_t length = 0;
  std::string large;
  encode(small, sizeof(small), &length);
  if (length >= kSureToFit) {
    encode(nullptr, 0, &length);
    large.resize(length + 1);
    encode(large.data(), large.size(), &length);
  }
  return Result(info, WriteCopied(large.empty() ? small : large.data(), length));
}

int ByteStream::WriteCopied(const char* data, size_t length) {
  uv_buf_t bytes = uv_buf_init(const_cast<char*>(data), 0);
  bytes.len = length;
  return Write({&bytes, 1, nullptr, 0});
}

// Writes what JavaScript has put into the queue's scratch memory. V8 keeps the bytes of typed
// arrays this small in its heap, and asking for their address would move each of them
// out, which costs more than the write.
Napi::Value ByteStream::WriteScratch(const Napi::CallbackInfo& info) {
  int32_t length;
  if (!is_open()) return Result(info, UV_EBADF);
  if (!ToInt32(info[0], &length) || length < 0 ||
      static_cast<size_t>(length) > CompletionQueue::kScratchSize) {
    return Result(info, UV_EINVAL);
  }
  return Result(info, WriteCopied(queue()->scratch(), static_cast<size_t>(length)));
}

Napi::Value ByteStream::WriteUtf8String(const Napi::CallbackInfo& info) {
  return WriteString(info, [&](char* out, size_t size, size_t* length) {
    napi_get_value_string_utf8(info.Env(), info[0], out, size, length);
  });
}

Napi::Value ByteStream::WriteLatin1String(const Napi::CallbackInfo& info) {
  return WriteString(info, [&](char* out, size_t size, size_t* length) {
    napi_get_value_string_latin1(info.Env(), info[0], out, size, length);
  });
}

Napi::Value ByteStream::Shutdown(const Napi::CallbackInfo& info) {
  return Result(info, is_open() ? ShutDown() : UV_EBADF);
}

// Counters.

Napi::Value ByteStream::BytesRead(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(bytes_read_));
}

Napi::Value ByteStream::BytesWritten(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(bytes_written_));
}

Napi::Value ByteStream::WriteQueueSize(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(is_open() ? QueuedBytes() : 0));
}

}  // namespace pipewright
