// Converts arguments from JavaScript, for methods that must not throw. lib/ has checked
// the arguments. If one is wrong all the same, these return false and the method returns
// UV_EINVAL.

#ifndef PIPEWRIGHT_SRC_CORE_ARGUMENTS_H_
#define PIPEWRIGHT_SRC_CORE_ARGUMENTS_H_

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <string>

namespace pipewright {

// The memory of a Buffer, typed array or DataView.
bool ToBytes(const Napi::Value& value, uv_buf_t* out);

// A whole number from `min` to `max`.
bool ToInteger(const Napi::Value& value, double min, double max, double* out);

// An integer that fits into 32 bits.
bool ToInt32(const Napi::Value& value, int32_t* out);

// A whole number from 0 to Number.MAX_SAFE_INTEGER.
bool ToCount(const Napi::Value& value, uint64_t* out);

// A file descriptor: not negative.
bool ToFd(const Napi::Value& value, int* out);

// A boolean; nothing else counts as one.
bool ToBool(const Napi::Value& value, bool* out);

// A string as UTF-8; NUL bytes are kept.
bool ToString(const Napi::Value& value, std::string* out);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_ARGUMENTS_H_
