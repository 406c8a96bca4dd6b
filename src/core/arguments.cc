#include "core/arguments.h"

#include <cmath>
#include <limits>

namespace pipewright {

bool ToBytes(const Napi::Value& value, uv_buf_t* out) {
  bool is_view = false;
  void* data = nullptr;
  size_t length = 0;
  if (napi_is_buffer(value.Env(), value, &is_view) != napi_ok || !is_view) return false;
  if (napi_get_buffer_info(value.Env(), value, &data, &length) != napi_ok) return false;
  out->base = static_cast<char*>(data);
  out->len = length;
  return true;
}

bool ToInteger(const Napi::Value& value, double min, double max, double* out) {
  double number = 0;
  if (!value.IsNumber()) return false;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) return false;
  if (std::trunc(number) != number || number < min || number > max) return false;  // Also NaN.
  *out = number;
  return true;
}

bool ToInt32(const Napi::Value& value, int32_t* out) {
  using Limits = std::numeric_limits<int32_t>;
  double number;
  if (!ToInteger(value, Limits::min(), Limits::max(), &number)) return false;
  *out = static_cast<int32_t>(number);
  return true;
}

bool ToCount(const Napi::Value& value, uint64_t* out) {
  constexpr double kMaxSafeInteger = 9007199254740991;
  double number;
  if (!ToInteger(value, 0, kMaxSafeInteger, &number)) return false;
  *out = static_cast<uint64_t>(number);
  return true;
}

bool ToFd(const Napi::Value& value, int* out) { return ToInt32(value, out) && *out >= 0; }

bool ToBool(const Napi::Value& value, bool* out) {
  if (!value.IsBoolean()) return false;
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

bool ToString(const Napi::Value& value, std::string* out) {
  if (!value.IsString()) return false;
  size_t length = 0;
  if (napi_get_value_string_utf8(value.Env(), value, nullptr, 0, &length) != napi_ok) return false;
  out->resize(length + 1);
  if (napi_get_value_string_utf8(value.Env(), value, out->data(), out->size(), &length) !=
      napi_ok) {
    return false;
  }
  out->resize(length);
  return true;
}

}  // namespace pipewright
