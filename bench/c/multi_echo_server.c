// The C column of bench/cluster: multi_echo_server PATH WORKERS
//
// libuv's guide has a multi-echo-server: one process accepts, and passes the connections
// round-robin to worker processes, which echo. This is the same on plain system calls: what came in
// one turn travels in one message to each worker, and no copy is kept.

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

enum {
  kMostWorkers = 64,
  kBatch = 32,
  kTurn = 64,
  kBacklog = 511,
  kEvents = 256,
  kReadSize = 4096
};

struct worker {
  int channel;
  int fds[kBatch];
  int count;
};

union control {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int) * kBatch)];
};

static struct worker workers[kMostWorkers];

// In a worker.

static void Watch(int epoll_fd, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) Fail("epoll_ctl");
}

// Takes one message of connections. The primary has gone when there is none.
static void Receive(int epoll_fd, int channel) {
  char byte;
  union control control;
  struct iovec vector = {&byte, 1};
  struct msghdr message = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof(control.bytes)};
  if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) <= 0) _exit(0);
  const struct cmsghdr* part = CMSG_FIRSTHDR(&message);
  if (part == NULL) Fail("a message without descriptors");
  int fds[kBatch];
  const size_t size = part->cmsg_len - CMSG_LEN(0);
  memcpy(fds, CMSG_DATA(part), size);
  for (size_t i = 0; i < size / sizeof(int); i++) Watch(epoll_fd, fds[i]);
}

static void Echo(int fd) {
  char bytes[kReadSize];
  const ssize_t count = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0 || send(fd, bytes, (size_t)count, MSG_NOSIGNAL) != count) close(fd);
}

static void Work(int channel) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) Fail("epoll_create1");
  Watch(epoll_fd, channel);
  for (;;) {
    struct epoll_event events[kEvents];
    const int count = epoll_wait(epoll_fd, events, kEvents, -1);
    if (count < 0 && errno != EINTR) Fail("epoll_wait");
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == channel) {
        Receive(epoll_fd, channel);
      } else {
        Echo(events[i].data.fd);
      }
    }
  }
}

// In the primary.

static void StartWorker(struct worker* worker) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) Fail("socketpair");
  const pid_t pid = fork();
  if (pid < 0) Fail("fork");
  if (pid == 0) {
    close(pair[0]);
    Work(pair[1]);
  }
  close(pair[1]);
  worker->channel = pair[0];
}

static void Pass(struct worker* worker) {
  if (worker->count == 0) return;
  char byte = 0;
  union control control;
  memset(&control, 0, sizeof(control));
  const size_t size = sizeof(int) * (size_t)worker->count;
  struct iovec vector = {&byte, 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes};
  message.msg_controllen = CMSG_SPACE(size);
  struct cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(part), worker->fds, size);
  if (sendmsg(worker->channel, &message, MSG_NOSIGNAL) < 0) Fail("sendmsg");
  for (int i = 0; i < worker->count; i++) close(worker->fds[i]);
  worker->count = 0;
}

// Accepts what there is, kTurn connections at the most, and passes it on. Returns whose turn it is.
static long Accept(int listener, long worker_count, long next) {
  for (int i = 0; i < kTurn; i++) {
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && errno == EAGAIN) break;
    if (fd < 0) Fail("accept4");
    struct worker* worker = &workers[next];
    worker->fds[worker->count++] = fd;
    if (worker->count == kBatch) Pass(worker);
    next = (next + 1) % worker_count;
  }
  for (long i = 0; i < worker_count; i++) Pass(&workers[i]);
  return next;
}

int main(int argc, char** argv) {
  if (argc != 3) Fail("usage: multi_echo_server PATH WORKERS");
  const struct sockaddr_un address = UnixAddress(argv[1]);
  const long count = NumberArgument(argc, argv, 2, "WORKERS", kMostWorkers);
  for (long i = 0; i < count; i++) StartWorker(&workers[i]);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind(listener, (const struct sockaddr*)&address, sizeof(address)) != 0) Fail("bind");
  if (listen(listener, kBacklog) != 0) Fail("listen");
  puts("listening");
  fflush(stdout);
  long next = 0;
  for (;;) {
    struct pollfd state = {listener, POLLIN, 0};
    if (poll(&state, 1, -1) < 0 && errno != EINTR) Fail("poll");
    next = Accept(listener, count, next);
  }
}
