// FD_CLOEXEC, for descriptors that this process was started with.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_CLOSE_ON_EXEC_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_CLOSE_ON_EXEC_H_

#include <napi.h>

namespace pipewright {

// For JavaScript: closeOnExec(fd), 0 or a negative errno.
Napi::Value CloseOnExec(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_CLOSE_ON_EXEC_H_
