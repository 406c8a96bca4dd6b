// Functions of the binding that make the ends of a child's stdio.

#ifndef PIPEWRIGHT_SRC_DESCRIPTOR_PAIR_H_
#define PIPEWRIGHT_SRC_DESCRIPTOR_PAIR_H_

#include <napi.h>

#include "unique_fd.h"

namespace pipewright {

// Two connected Unix stream sockets, close-on-exec and blocking. 0 or a negative
// errno.
int OpenSocketPair(UniqueFd* first, UniqueFd* second);

// For JavaScript: [fd, fd], or a negative errno. Blocking, since the one end is a
// child's; PipeWrap.open() changes that of the other.
Napi::Value StdioSocketPair(const Napi::CallbackInfo& info);
// [end to read, end to write].
Napi::Value Pipe(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTOR_PAIR_H_
