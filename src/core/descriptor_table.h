// Reports how full the process's table of descriptors is.

#ifndef PIPEWRIGHT_SRC_CORE_DESCRIPTOR_TABLE_H_
#define PIPEWRIGHT_SRC_CORE_DESCRIPTOR_TABLE_H_

namespace pipewright {

// The number of descriptors that the process has open; -1 if it cannot be found out.
int OpenDescriptorCount();

// The number of descriptors that it may still open; -1 if it cannot be found out.
int FreeDescriptorCount();

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_DESCRIPTOR_TABLE_H_
