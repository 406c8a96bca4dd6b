// The signal that this process gets when its parent ends: PR_SET_PDEATHSIG in prctl(2).

#ifndef PIPEWRIGHT_SRC_CHILD_PROCESS_PARENT_DEATH_H_
#define PIPEWRIGHT_SRC_CHILD_PROCESS_PARENT_DEATH_H_

#include <napi.h>

namespace pipewright {

// For JavaScript: ignoreParentDeath(). From now on the parent's end sends no signal.
Napi::Value IgnoreParentDeath(const Napi::CallbackInfo& info);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CHILD_PROCESS_PARENT_DEATH_H_
