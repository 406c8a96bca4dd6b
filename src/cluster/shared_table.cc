#include "cluster/shared_table.h"

#include <algorithm>

#include "core/descriptor_table.h"

namespace pipewright {

namespace {

constexpr size_t kMaxAllowance = 64;
constexpr size_t kPlaces = 2;  // Of a connection: the primary's and the worker's.

// Places that are left to the programs: a sixteenth of the table, within limits.
constexpr size_t kShare = 16;
constexpr size_t kMinSpare = 4;
constexpr size_t kMaxSpare = 64;

}  // namespace

bool SharedTable::HasRoom(size_t promised) {
  if (allowance_ > 0) {
    --allowance_;
    return true;
  }
  const int open = OpenDescriptorCount();
  const int free = FreeDescriptorCount();
  if (open < 0 || free < 0) return true;
  const auto places = static_cast<size_t>(open) + static_cast<size_t>(free);
  const size_t needed = promised + std::clamp(places / kShare, kMinSpare, kMaxSpare) + kPlaces;
  if (static_cast<size_t>(free) < needed) {
    waiter_.Wait(false);
    return false;
  }
  waiter_.Succeeded();
  allowance_ = std::min((static_cast<size_t>(free) - needed) / kPlaces, kMaxAllowance);
  return true;
}

}  // namespace pipewright
