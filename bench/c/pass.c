// Descriptors to another process by sendmsg(2), so many a message, blocking on both
// sides; the other closes each. pass COUNT BATCH; prints {"descriptorsPerSecond": N}.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 253

union control {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int) * MOST)];
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void send_all(int socket, long count, int batch) {
  char bytes[MOST] = {0};
  int fds[MOST];
  union control control;
  memset(&control, 0, sizeof(control));
  const int fd = open("/dev/null", O_RDONLY);
  for (int i = 0; i < batch; i++) fds[i] = fd;
  for (long sent = 0; sent < count; sent += batch) {
    struct iovec vector = {bytes, (size_t)batch};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes};
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)batch);
    struct cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)batch);
    memcpy(CMSG_DATA(part), fds, sizeof(int) * (size_t)batch);
    if (sendmsg(socket, &message, 0) < 0) fail("sendmsg");
  }
}

static void receive_all(int socket, long count) {
  char bytes[4096];
  union control control;
  int fds[MOST];
  double began = 0;
  for (long came = 0; came < count;) {
    struct iovec vector = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes};
    message.msg_controllen = sizeof(control.bytes);
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) fail("recvmsg");
    if (began == 0) began = now();
    struct cmsghdr* part = CMSG_FIRSTHDR(&message);
    const size_t size = part->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(part), size);
    for (size_t i = 0; i < size / sizeof(int); i++) close(fds[i]);
    came += (long)(size / sizeof(int));
  }
  printf("{\"descriptorsPerSecond\": %.0f}\n", (double)count / (now() - began));
}

int main(int argc, char** argv) {
  int pair[2];
  if (argc != 3) return 2;
  const long count = atol(argv[1]);
  const int batch = atoi(argv[2]);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) fail("socketpair");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    send_all(pair[0], count, batch);
    return 0;
  }
  receive_all(pair[1], count);
  waitpid(child, NULL, 0);
  return 0;
}
