// Spawns a child and waits for its end without the loop: writes its stdin, collects its output,
// and enforces the limits of size and time. The loop's timers cannot fire meanwhile, so it has
// a clock of its own for the work that lib/child_process/deadline.js does for spawn().

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_

#include <napi.h>

namespace pipewright {

// For JavaScript: spawnSync(options, stdio, pipes, input). `options` and `stdio` are those of
// ProcessWrap.spawn(), and `options` may also have
// - maxBuffer, timeout, forceKillAfter: bytes and milliseconds; 0 or Infinity for none
// - killSignal: number; closeOn: 'stdio' | 'exit'
// `pipes` lists the child's descriptors that are connected with us (0 is only written to).
// `input` has, for each descriptor, the bytes to write to it. Both may be left out.
//
// It returns { pid, status, signal, output, error, errorStep, resourceUsage, timedOut }. One of
// status and signal is null. `error` is 0 or a negative errno. `output` is null if there was no
// child, else it has a Buffer or null for each descriptor. If an argument is wrong, it returns
// UV_EINVAL instead.
Napi::Value SpawnSync(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_
