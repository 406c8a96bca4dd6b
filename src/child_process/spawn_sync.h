// Spawns a child and waits for its end without the loop: feeds its stdin, collects what
// it writes, and keeps the limits of size and time. No timer of the loop can fire
// meanwhile, so it has a clock of its own for what lib/child_process/deadline.js does
// for spawn().

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_

#include <napi.h>

namespace pipewright {

// For JavaScript: spawnSync(options, stdio, pipes, input). `options` and `stdio` are what
// ProcessWrap.spawn() takes, and `options` may have
// - maxBuffer, timeout, forceKillAfter: bytes and milliseconds; 0 or Infinity for none
// - killSignal: number; closeOn: 'stdio' | 'exit'
// `pipes` are the child's descriptors that are connected with us (we only write to 0);
// `input` is, by descriptor, what to write to it. Both may be left out.
//
// It returns { pid, status, signal, output, error, errorStep, resourceUsage, timedOut }:
// one of status and signal is null, `error` is 0 or a negative errno, and `output` is null
// if there was no child, else a Buffer or null for each descriptor. If an argument is
// wrong, it returns UV_EINVAL instead.
Napi::Value SpawnSync(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_
