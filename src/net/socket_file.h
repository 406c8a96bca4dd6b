// The file that bind(2) made for a server's socket. The server removes this file and no
// other: by device and inode it recognises a file that a new server has put in its place.

#ifndef PIPEWRIGHT_SRC_NET_SOCKET_FILE_H_
#define PIPEWRIGHT_SRC_NET_SOCKET_FILE_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <string>

namespace pipewright {

class SocketFile {
 public:
  // No file, as an abstract name has none.
  SocketFile() = default;
  // `status` is the file's own, from lstat(2). A relative path is made absolute here, so
  // that a later chdir(2) does not matter.
  SocketFile(const std::string& path, const struct stat& status);

  const std::string& path() const { return path_; }

  // The file in a text that another process can read with FromText(): it owns the file then.
  // Empty if there is no file.
  std::string ToText() const;
  // Reports whether `text` is one of ToText().
  static bool FromText(const std::string& text, SocketFile* out);

  // Removes the file if it still is the one that was made; once.
  void Remove();
  // Leaves the file in place: the socket was handed to another owner.
  void Disown() { path_.clear(); }

 private:
  std::string path_;  // Absolute; empty if there is nothing to remove.
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_NET_SOCKET_FILE_H_
