// Starts a child process. Two engines do the same job: the vfork one at a cost that
// does not grow with this process's memory, and uv_spawn() for kernels and sandboxes
// that refuse clone(2).

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_H_

#include <sys/types.h>

#include "child_process/spawn_options.h"
#include "core/unique_fd.h"

namespace pipewright {

struct SpawnResult {
  int error = 0;               // A negative errno: there is no child.
  const char* step = nullptr;  // What failed: 'chdir', 'exec' ... nullptr: not known.
  pid_t pid = 0;
  UniqueFd pidfd;  // Invalid where the kernel has none to give.
};

// Returns once the child has exec'ed the program, or failed to and is reaped. The
// engine is what the options say, else what the environment variable
// PIPEWRIGHT_SPAWN_ENGINE says, else vfork where it works.
SpawnResult Spawn(const SpawnOptions& options);

// The engines, for Spawn().
SpawnResult SpawnVfork(const SpawnOptions& options);
SpawnResult SpawnUv(const SpawnOptions& options);

// Whether this system lets the vfork engine work. Tried once a process.
bool IsVforkUsable();

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_H_
