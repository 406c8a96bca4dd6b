#include "net/socket_file.h"

#include <unistd.h>

#include <climits>

namespace pipewright {

namespace {

std::string Absolute(const std::string& path) {
  if (path[0] == '/') return path;
  char cwd[PATH_MAX];
  return getcwd(cwd, sizeof(cwd)) == nullptr ? path : std::string(cwd) + "/" + path;
}

}  // namespace

SocketFile::SocketFile(const std::string& path, const struct stat& status)
    : path_(Absolute(path)), device_(status.st_dev), inode_(status.st_ino) {}

void SocketFile::Remove() {
  if (path_.empty()) return;
  struct stat status;
  if (lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    unlink(path_.c_str());
  }
  path_.clear();
}

}  // namespace pipewright
