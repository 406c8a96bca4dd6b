#include "cluster/worker_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pipewright {

namespace {

constexpr size_t kPageSize = 4096;
static_assert(sizeof(WorkerCounters) <= kPageSize, "the counters fit into the page");
static_assert(std::atomic<uint64_t>::is_always_lock_free, "a lock would not work across processes");

int CreateMemory() {
  constexpr unsigned kNoExec = 0x8;  // MFD_NOEXEC_SEAL (Linux 6.3), which a system may demand.
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = memfd_create("pipewright-worker", kFlags | kNoExec);
  return fd < 0 && errno == EINVAL ? memfd_create("pipewright-worker", kFlags) : fd;
}

}  // namespace

WorkerPage::~WorkerPage() { Unmap(); }

void WorkerPage::Unmap() {
  if (counters_ != nullptr) munmap(counters_, kPageSize);
}

int WorkerPage::Create(UniqueFd* out) {
  UniqueFd fd(CreateMemory());
  if (!fd.is_valid() || ftruncate(fd.get(), kPageSize) != 0) return -errno;
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) return -errno;
  const int err = MapAs(fd.get(), PROT_READ);
  if (err == 0) *out = std::move(fd);
  return err;
}

int WorkerPage::Map(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return -errno;
  if (status.st_size < static_cast<off_t>(kPageSize)) return -EINVAL;
  return MapAs(fd, PROT_READ | PROT_WRITE);
}

int WorkerPage::MapAs(int fd, int protection) {
  void* memory = mmap(nullptr, kPageSize, protection, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return -errno;
  Unmap();
  counters_ = static_cast<WorkerCounters*>(memory);
  return 0;
}

}  // namespace pipewright
