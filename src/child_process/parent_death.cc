#include "child_process/parent_death.h"

#include <sys/prctl.h>

#include <cerrno>

namespace pipewright {

// The signal is the process's, whichever of its threads calls this.
Napi::Value IgnoreParentDeath(const Napi::CallbackInfo& info) {
  const int err = prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0 ? 0 : -errno;
  return Napi::Number::New(info.Env(), err);
}

}  // namespace pipewright
