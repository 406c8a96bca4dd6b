#include "core/read_slab.h"

#include <cstring>
#include <new>

#include "core/freed_memory.h"

namespace pipewright {

ReadSlabs::ReadSlabs(Napi::Env env) : env_(env), table_(Napi::Persistent(Napi::Array::New(env))) {}

bool ReadSlabs::IsFit(const Slab& slab, bool large) const {
  return large ? slab.used == 0 : kSlabSize - slab.used >= kGiveAwaySize;
}

uv_buf_t ReadSlabs::Allocate(bool large) {
  // Within a turn slabs fill from the first on; those before current_ have no room.
  while (current_ < slabs_.size() && !IsFit(slabs_[current_], large)) ++current_;
  if (current_ == kMaxSlabs) return uv_buf_init(nullptr, 0);
  if (current_ == slabs_.size()) slabs_.emplace_back();
  Slab& slab = slabs_[current_];
  if (slab.data == nullptr && !AllocateSlab(current_)) return uv_buf_init(nullptr, 0);
  return uv_buf_init(slab.data + slab.used, static_cast<unsigned int>(kSlabSize - slab.used));
}

bool ReadSlabs::AllocateSlab(size_t number) {
  Napi::HandleScope scope(env_);
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_buffer(env_, kSlabSize, &data, &buffer) != napi_ok) return false;
  if (napi_set_element(env_, table_.Value(), static_cast<uint32_t>(number), buffer) != napi_ok) {
    return false;
  }
  slabs_[number].data = static_cast<char*>(data);
  return true;
}

ReadSlabs::Place ReadSlabs::Commit(size_t length) {
  Slab& slab = slabs_[current_];
  if (slab.used == 0 && length >= kGiveAwaySize) {
    // The user's Buffers will be freed as fast as the next ones are read.
    KeepFreedMemory();
    // The rest of the slab may hold older bytes of another connection.
    std::memset(slab.data + length, 0, kSlabSize - length);
    slab.data = nullptr;
    slab.used = kSlabSize;
    return {true, static_cast<int32_t>(current_)};
  }
  const size_t position = current_ * kSlabSize + slab.used;
  // Rounded up to cache lines, so that the next read starts aligned.
  slab.used += (length + 63) / 64 * 64;
  return {false, static_cast<int32_t>(position)};
}

uv_buf_t ReadSlabs::Scratch() {
  if (scratch_ == nullptr) scratch_.reset(new (std::nothrow) char[kScratchSize]);
  return uv_buf_init(scratch_.get(), scratch_ == nullptr ? 0 : kScratchSize);
}

void ReadSlabs::Recycle() {
  if (current_ == 0 && (slabs_.empty() || slabs_[0].used == 0)) return;
  for (size_t number = kKeptSlabs; number < slabs_.size(); ++number) {
    if (slabs_[number].data == nullptr) continue;
    napi_set_element(env_, table_.Value(), static_cast<uint32_t>(number), env_.Undefined());
  }
  if (slabs_.size() > kKeptSlabs) slabs_.resize(kKeptSlabs);
  for (Slab& slab : slabs_) slab.used = 0;
  current_ = 0;
}

}  // namespace pipewright
