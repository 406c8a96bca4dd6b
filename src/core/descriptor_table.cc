#include "core/descriptor_table.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>

namespace pipewright {

namespace {

constexpr const char* kTable = "/proc/self/fd";

int CountEntries() {
  DIR* directory = opendir(kTable);
  if (directory == nullptr) return -1;
  int count = 0;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(directory);
  return count - 1;  // The directory itself.
}

}  // namespace

// Since Linux 6.2 the directory's size is the number of open descriptors. Reading it needs
// no free descriptor, as opendir(3) does.
int OpenDescriptorCount() {
  struct stat status;
  if (stat(kTable, &status) != 0) return -1;
  return status.st_size > 0 ? static_cast<int>(status.st_size) : CountEntries();
}

int FreeDescriptorCount() {
  rlimit limit;
  const int open = OpenDescriptorCount();
  if (open < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  const auto most = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, INT_MAX));
  return std::max(most - open, 0);
}

}  // namespace pipewright
