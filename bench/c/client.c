#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

void Fail(const char* format, ...) {
  const int error = errno;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  if (error != 0) fprintf(stderr, ": %s", strerror(error));
  fputc('\n', stderr);
  exit(1);
}

int64_t NowNanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

long NumberArgument(int argc, char** argv, int index, const char* name, long most) {
  errno = 0;
  if (index >= argc) Fail("%s is missing", name);
  char* rest;
  const long number = strtol(argv[index], &rest, 10);
  errno = 0;
  if (*rest != '\0' || number < 1 || number > most)
    Fail("%s must be 1 to %ld, not %s", name, most, argv[index]);
  return number;
}

double SecondsArgument(int argc, char** argv, int index) {
  errno = 0;
  if (index >= argc) Fail("SECONDS is missing");
  char* rest;
  const double seconds = strtod(argv[index], &rest);
  errno = 0;
  if (*rest != '\0' || !(seconds > 0 && seconds <= 3600))
    Fail("SECONDS must be above 0, at most 3600");
  return seconds;
}

struct sockaddr_un UnixAddress(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  errno = 0;
  if (strlen(path) >= sizeof(address.sun_path)) Fail("path too long: %s", path);
  strcpy(address.sun_path, path);
  return address;
}

int ConnectTo(const char* path) {
  const struct sockaddr_un address = UnixAddress(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail("socket");
  while (connect(fd, (const struct sockaddr*)&address, sizeof(address)) != 0) {
    if (errno != EINTR) Fail("connect %s", path);
  }
  return fd;
}

void SetNonblocking(int fd) {
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) Fail("fcntl");
}
