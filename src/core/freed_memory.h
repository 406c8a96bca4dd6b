// Memory that was freed, and whether malloc() returns it to the kernel.

#ifndef PIPEWRIGHT_SRC_CORE_FREED_MEMORY_H_
#define PIPEWRIGHT_SRC_CORE_FREED_MEMORY_H_

#include <cstddef>

namespace pipewright {

// Call it where chunks of this size are received, one after another. Makes malloc() keep
// more freed memory at the end of its heap: 8 MiB for chunks of up to 256 KiB, 64 MiB for those
// of 2 MiB and more. glibc returns all but 128 KiB to the kernel, and such a program then has
// the same pages mapped and cleared again and again.
void KeepFreedMemory(size_t chunk_size);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_FREED_MEMORY_H_
