// Starts a child process with one of two engines. The cost of the vfork engine does not grow
// with this process's memory; uv_spawn() is for kernels and sandboxes that refuse clone(2).

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_H_

#include <sys/types.h>

#include "child_process/spawn_options.h"
#include "core/unique_fd.h"

namespace pipewright {

struct SpawnResult {
  int error = 0;               // If negative, an errno: there is no child.
  const char* step = nullptr;  // The step that failed: 'chdir', 'exec' ...; nullptr if unknown.
  pid_t pid = 0;
  UniqueFd pidfd;  // Invalid if the kernel gave none.
};

// Returns once the child has exec'ed the program, or has failed and is reaped. Uses the engine
// that the options name, else the one that the environment variable PIPEWRIGHT_SPAWN_ENGINE
// names, else vfork if it is usable.
SpawnResult Spawn(const SpawnOptions& options);

// The engines, for Spawn().
SpawnResult SpawnVfork(const SpawnOptions& options);
SpawnResult SpawnUv(const SpawnOptions& options);

// Reports whether the vfork engine works on this system. Tries it once per process.
bool IsVforkUsable();

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_H_
