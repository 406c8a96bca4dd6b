// Functions on bare descriptors, for lib/descriptors.

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_DESCRIPTOR_FUNCTIONS_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_DESCRIPTOR_FUNCTIONS_H_

#include <napi.h>

#include "core/environment.h"

namespace pipewright {

// Adds these functions to the binding; see docs/binding.md.
void DefineDescriptorFunctions(Napi::Object binding, Environment* environment);

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_DESCRIPTOR_FUNCTIONS_H_
