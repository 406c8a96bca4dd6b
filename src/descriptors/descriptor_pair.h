// The two ends of one of a child's descriptors.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_DESCRIPTOR_PAIR_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_DESCRIPTOR_PAIR_H_

#include "core/unique_fd.h"

namespace pipewright {

// Two connected Unix stream sockets, close-on-exec and blocking. 0 or a negative
// errno.
int OpenSocketPair(UniqueFd* first, UniqueFd* second);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_DESCRIPTOR_PAIR_H_
