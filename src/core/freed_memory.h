// Memory that was freed, and whether malloc() returns it to the kernel.

#ifndef PIPEWRIGHT_SRC_CORE_FREED_MEMORY_H_
#define PIPEWRIGHT_SRC_CORE_FREED_MEMORY_H_

namespace pipewright {

// Call it where large chunks are received, one after another. Makes malloc() keep up to 64 MiB
// of freed memory at the end of its heap: as much as waits for V8's garbage collection at a
// time. glibc returns all but 128 KiB to the kernel, and such a program then has the same
// pages mapped and cleared again and again. Does something only at the first call.
void KeepFreedMemory();

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_FREED_MEMORY_H_
