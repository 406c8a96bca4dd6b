#include "child_process/spawn_options.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/arguments.h"

namespace pipewright {

namespace {

bool ReadString(const Napi::Value& value, std::string* out) {
  return ToString(value, out) && out->find('\0') == std::string::npos;
}

// A user or group id. As in Node, negative numbers are left for the kernel to refuse.
bool ReadId(const Napi::Value& value, uint32_t* out) {
  constexpr double kMin = std::numeric_limits<int32_t>::min();
  constexpr double kMax = std::numeric_limits<uint32_t>::max();
  double number;
  if (!ToInteger(value, kMin, kMax, &number)) return false;
  *out = static_cast<uint32_t>(static_cast<int64_t>(number));
  return true;
}

bool ReadMode(const Napi::Value& value, mode_t* out) {
  int mode;
  if (!ToInt32(value, &mode) || mode < 0 || mode > 0777) return false;
  *out = static_cast<mode_t>(mode);
  return true;
}

// Infinity stands for the kernel's RLIM_INFINITY.
bool ReadLimit(const Napi::Value& value, uint64_t* out) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::isinf(number) && number > 0) {
    *out = std::numeric_limits<uint64_t>::max();
    return true;
  }
  if (std::trunc(number) != number || number < 0 || number >= 0x1p64) return false;
  *out = static_cast<uint64_t>(number);
  return true;
}

bool ReadResourceLimit(const Napi::Value& value, ResourceLimit* out) {
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  return ToInt32(array.Get(uint32_t{0}), &out->resource) &&
         ReadLimit(array.Get(uint32_t{1}), &out->values[0]) &&
         ReadLimit(array.Get(uint32_t{2}), &out->values[1]);
}

bool ReadStdio(const Napi::Value& value, int* out) {
  return ToInt32(value, out) && *out >= SpawnOptions::kIgnored;
}

template <typename Item>
bool ReadList(const Napi::Value& value, bool (*read)(const Napi::Value&, Item*),
              std::vector<Item>* out) {
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  // Stops at the first element that is no item: a sparse array of great length costs nothing.
  for (uint32_t i = 0; i < array.Length(); ++i) {
    if (!read(array.Get(i), &out->emplace_back())) return false;
  }
  return true;
}

bool ReadGroups(const Napi::Value& value, std::vector<gid_t>* out) {
  return ReadList(value, ReadId, out);
}

bool ReadResourceLimits(const Napi::Value& value, std::vector<ResourceLimit>* out) {
  return ReadList(value, ReadResourceLimit, out);
}

bool ReadEnv(const Napi::Value& value, StringList* out) { return out->Read(value); }

bool ReadEngine(const Napi::Value& value, SpawnOptions::Engine* out) {
  std::string name;
  if (!ToString(value, &name)) return false;
  if (name == "vfork") {
    *out = SpawnOptions::Engine::kVfork;
  } else if (name == "uv") {
    *out = SpawnOptions::Engine::kUv;
  } else {
    return false;
  }
  return true;
}

// An option that was not given leaves `out` unset.
template <typename Item>
bool ReadOptional(const Napi::Value& value, bool (*read)(const Napi::Value&, Item*),
                  std::optional<Item>* out) {
  return IsNotGiven(value) || read(value, &out->emplace());
}

// An option that was not given leaves `out` at its default.
template <typename Item>
bool ReadOr(const Napi::Value& value, bool (*read)(const Napi::Value&, Item*), Item* out) {
  return IsNotGiven(value) || read(value, out);
}

}  // namespace

bool StringList::Read(const Napi::Value& value) {
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  std::vector<size_t> starts;
  size_t end = 0;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    // If the string fits into the room, one call is enough. A character takes up to four bytes
    // and is never split: if so few are left over, the string may be longer.
    constexpr size_t kRoom = 256;
    if (bytes_.size() < end + kRoom) bytes_.resize(2 * bytes_.size() + kRoom);
    const Napi::Value item = array.Get(i);
    const napi_env env = value.Env();
    const size_t room = bytes_.size() - end;
    size_t length = 0;
    if (napi_get_value_string_utf8(env, item, &bytes_[end], room, &length) != napi_ok) return false;
    if (length + 4 >= room) {
      napi_get_value_string_utf8(env, item, nullptr, 0, &length);
      bytes_.resize(end + length + 1);
      napi_get_value_string_utf8(env, item, &bytes_[end], length + 1, &length);
    }
    if (std::memchr(&bytes_[end], '\0', length) != nullptr) return false;
    starts.push_back(end);
    end += length + 1;
  }
  pointers_.clear();
  for (const size_t start : starts) pointers_.push_back(&bytes_[start]);
  pointers_.push_back(nullptr);
  return true;
}

bool SpawnOptions::Read(const Napi::Value& value, const Napi::Value& stdio_value) {
  if (!value.IsObject()) return false;
  const auto object = value.As<Napi::Object>();
  const bool is_read =
      ReadString(object.Get("file"), &file) && args.Read(object.Get("args")) &&
      ReadOptional(object.Get("envPairs"), ReadEnv, &env) &&
      ReadOptional(object.Get("cwd"), ReadString, &cwd) &&
      ReadList(stdio_value, ReadStdio, &stdio) &&
      ReadOr(object.Get("detached"), ToBool, &detached) &&
      ReadOptional(object.Get("uid"), ReadId, &uid) &&
      ReadOptional(object.Get("gid"), ReadId, &gid) &&
      ReadOr(object.Get("engine"), ReadEngine, &engine) &&
      ReadOptional(object.Get("groups"), ReadGroups, &groups) &&
      ReadOptional(object.Get("umask"), ReadMode, &umask) &&
      ReadOr(object.Get("rlimits"), ReadResourceLimits, &rlimits) &&
      ReadOptional(object.Get("processGroup"), ToInt32, &process_group) &&
      ReadOptional(object.Get("priority"), ToInt32, &priority) &&
      ReadOptional(object.Get("parentDeathSignal"), ToInt32, &parent_death_signal) &&
      ReadOptional(object.Get("controllingTerminal"), ToInt32, &controlling_terminal) &&
      ReadOr(object.Get("noNewPrivileges"), ToBool, &no_new_privileges) &&
      ReadOr(object.Get("closeDescriptors"), ToBool, &close_descriptors);
  if (!is_read || args.size() == 0) return false;
  if (stdio.size() < 3) stdio.resize(3, kIgnored);
  return !controlling_terminal ||
         (*controlling_terminal >= 0 && static_cast<size_t>(*controlling_terminal) < stdio.size());
}

bool SpawnOptions::NeedsVfork() const {
  return groups || umask || !rlimits.empty() || process_group || priority || parent_death_signal ||
         controlling_terminal || no_new_privileges;
}

}  // namespace pipewright
