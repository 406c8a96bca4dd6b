// Spawns a child and waits for its end, without the loop: feeds its stdin, collects
// what it writes, and sees to limits of size and time.

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_

#include <napi.h>

namespace pipewright {

// For JavaScript: spawnSync(options) takes what ProcessWrap.spawn() takes, and
// - pipes: descriptors of the child's that are connected with us; 0 only to write to
// - input: by descriptor, bytes to write to it, or undefined
// - maxBuffer, timeout, forceKillAfter: bytes and milliseconds; 0 or Infinity for none
// - killSignal: number; closeOn: 'stdio' | 'exit'
//
// It returns { pid, status, signal, output, error, errorStep, resourceUsage, timedOut }:
// status and signal are null where the other holds, `error` is 0 or a negative errno, and
// `output` is null where there was no child, else by descriptor a Buffer or null. A
// negative number instead of all that: an argument is wrong.
Napi::Value SpawnSync(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_SPAWN_SYNC_H_
