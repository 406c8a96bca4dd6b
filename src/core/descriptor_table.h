// The process's table of descriptors: how full it is.

#ifndef PIPEWRIGHT_SRC_CORE_DESCRIPTOR_TABLE_H_
#define PIPEWRIGHT_SRC_CORE_DESCRIPTOR_TABLE_H_

namespace pipewright {

// How many descriptors the process has open; -1 where that cannot be told.
int OpenDescriptorCount();

// How many more it may open; -1 where that cannot be told.
int FreeDescriptorCount();

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_DESCRIPTOR_TABLE_H_
