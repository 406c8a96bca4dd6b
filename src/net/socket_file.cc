#include "net/socket_file.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>

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

// DEVICE:INODE:PATH
std::string SocketFile::ToText() const {
  if (path_.empty()) return "";
  return std::to_string(device_) + ":" + std::to_string(inode_) + ":" + path_;
}

bool SocketFile::FromText(const std::string& text, SocketFile* out) {
  char* end = nullptr;
  SocketFile file;
  file.device_ = strtoull(text.c_str(), &end, 10);
  if (*end != ':') return false;
  file.inode_ = strtoull(end + 1, &end, 10);
  if (*end != ':' || end[1] != '/') return false;
  file.path_ = end + 1;
  *out = file;
  return true;
}

void SocketFile::Remove() {
  if (path_.empty()) return;
  struct stat status;
  if (lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    unlink(path_.c_str());
  }
  path_.clear();
}

}  // namespace pipewright
