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

bool ToInt32(const Napi::Value& value, int32_t* out) {
  double number = 0;
  if (!value.IsNumber()) return false;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) return false;
  if (std::trunc(number) != number) return false;  // Also NaN.
  if (number < std::numeric_limits<int32_t>::min()) return false;
  if (number > std::numeric_limits<int32_t>::max()) return false;
  *out = static_cast<int32_t>(number);
  return true;
}

bool ToCount(const Napi::Value& value, uint64_t* out) {
  constexpr double kMaxSafeInteger = 9007199254740991;
  double number = 0;
  if (!value.IsNumber()) return false;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) return false;
  if (std::trunc(number) != number || number < 0 || number > kMaxSafeInteger) return false;
  *out = static_cast<uint64_t>(number);
  return true;
}

bool ToFd(const Napi::Value& value, int* out) { return ToInt32(value, out) && *out >= 0; }

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
