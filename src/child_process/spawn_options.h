// The options of a spawn. They are read from the frozen object that
// lib/child_process/options.js makes of a call, and from the list of descriptors that were
// opened for it since. Owns everything it points to.

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_OPTIONS_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_OPTIONS_H_

#include <napi.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pipewright {

// null and undefined are the same for every option. An empty value, which a getter leaves if it
// throws, is not among them: it is refused, and the exception is passed on.
inline bool IsNotGiven(const Napi::Value& value) {
  return !value.IsEmpty() && (value.IsUndefined() || value.IsNull());
}

// Strings in the form that execve(2) takes: a list of pointers with a null pointer at its end.
class StringList {
 public:
  // Returns false if `value` is not an array of strings, or if a string holds a NUL byte.
  bool Read(const Napi::Value& value);

  char* const* data() const { return pointers_.data(); }
  size_t size() const { return pointers_.size() - 1; }

 private:
  std::vector<char> bytes_;  // All strings, each with its NUL.
  std::vector<char*> pointers_{nullptr};
};

// The kernel's struct rlimit64: 64 bits on every architecture.
struct ResourceLimit {
  int resource;
  uint64_t values[2];  // Soft, hard.
};

struct SpawnOptions {
  enum class Engine { kDefault, kVfork, kUv };

  static constexpr int kIgnored = -1;

  std::string file;
  StringList args;                // The child sees args[0] as its name.
  std::optional<StringList> env;  // If unset, the child gets this process's.
  std::optional<std::string> cwd;
  std::vector<int> stdio;  // For each descriptor of the child: ours, or kIgnored. At least 3.
  bool detached = false;   // The child leads a session of its own.
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  Engine engine = Engine::kDefault;

  // Only the vfork engine supports the options below.
  std::optional<std::vector<gid_t>> groups;
  std::optional<mode_t> umask;
  std::vector<ResourceLimit> rlimits;
  std::optional<pid_t> process_group;  // 0: a group of its own.
  std::optional<int> priority;
  std::optional<int> parent_death_signal;
  std::optional<int> controlling_terminal;  // One of the child's descriptors.
  bool no_new_privileges = false;
  bool close_descriptors = true;

  // Returns false if something is of a wrong type or out of range, or a string holds NUL.
  bool Read(const Napi::Value& value, const Napi::Value& stdio_value);

  bool NeedsVfork() const;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_OPTIONS_H_
