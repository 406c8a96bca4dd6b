// The load of bench/connect: connect_load PATH CONCURRENT SECONDS
//
// Each of CONCURRENT slots does, again and again: connect, write one byte, read it back, close.
// Prints one line of JSON.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

enum {
  kMostConcurrent = 4096,
  kEventsPerWait = 256,
  kPatienceMilliseconds = 5000,
  kRetryMilliseconds = 1,
};

struct slot {
  int fd;
  unsigned char byte;
};

struct load {
  int epoll_fd;
  struct sockaddr_un address;
  long slot_count;
  struct slot* slots;
  // Slots whose connect() found the backlog full. The kernel has no event for "room again", so they
  // try each turn.
  struct slot** refused;
  long refused_count;
  long open_count;
  int draining;
  uint64_t connections;
  uint64_t refusals;
};

// Returns 0 when the server's backlog is full.
static int ConnectSlot(struct load* load, struct slot* slot) {
  if (connect(slot->fd, (const struct sockaddr*)&load->address, sizeof(load->address)) != 0) {
    if (errno == EAGAIN) return 0;
    Fail("connect");
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
  if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, slot->fd, &event) != 0) Fail("epoll_ctl");
  slot->byte++;
  if (send(slot->fd, &slot->byte, 1, MSG_NOSIGNAL) != 1) Fail("send");
  return 1;
}

static void ConnectOrRefuse(struct load* load, struct slot* slot) {
  if (ConnectSlot(load, slot)) return;
  load->refusals++;
  load->refused[load->refused_count++] = slot;
}

static void OpenSlot(struct load* load, struct slot* slot) {
  slot->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (slot->fd < 0) Fail("socket");
  load->open_count++;
  ConnectOrRefuse(load, slot);
}

static void RetryRefused(struct load* load) {
  const long count = load->refused_count;
  load->refused_count = 0;
  for (long i = 0; i < count; i++) ConnectOrRefuse(load, load->refused[i]);
}

static void FinishSlot(struct load* load, struct slot* slot) {
  unsigned char byte;
  const ssize_t count = recv(slot->fd, &byte, 1, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) Fail("recv");
  errno = 0;
  if (count == 0 || byte != slot->byte) Fail("the reply differs");
  close(slot->fd);
  load->open_count--;
  if (load->draining) return;
  load->connections++;
  OpenSlot(load, slot);
}

static void Turn(struct load* load) {
  struct epoll_event events[kEventsPerWait];
  const int patience = load->refused_count > 0 ? kRetryMilliseconds : kPatienceMilliseconds;
  const int count = epoll_wait(load->epoll_fd, events, kEventsPerWait, patience);
  if (count < 0 && errno != EINTR) Fail("epoll_wait");
  errno = 0;
  if (count == 0 && load->refused_count == 0) Fail("no reply for %d ms", kPatienceMilliseconds);
  RetryRefused(load);
  for (int i = 0; i < count; i++) FinishSlot(load, events[i].data.ptr);
}

static double Run(struct load* load, double seconds) {
  const int64_t start = NowNanoseconds();
  const int64_t end = start + (int64_t)(seconds * 1e9);
  for (long i = 0; i < load->slot_count; i++) OpenSlot(load, &load->slots[i]);
  while (NowNanoseconds() < end) Turn(load);
  return (double)(NowNanoseconds() - start) / 1e9;
}

// The server is not left with an answer that nobody reads: that would reset the connection.
static void Drain(struct load* load) {
  load->draining = 1;
  while (load->open_count > 0) Turn(load);
}

int main(int argc, char** argv) {
  struct load load = {0};
  if (argc != 4) Fail("usage: connect_load PATH CONCURRENT SECONDS");
  load.address = UnixAddress(argv[1]);
  load.slot_count = NumberArgument(argc, argv, 2, "CONCURRENT", kMostConcurrent);
  const double seconds = SecondsArgument(argc, argv, 3);

  load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (load.epoll_fd < 0) Fail("epoll_create1");
  load.slots = calloc((size_t)load.slot_count, sizeof(*load.slots));
  load.refused = calloc((size_t)load.slot_count, sizeof(*load.refused));
  if (load.slots == NULL || load.refused == NULL) Fail("calloc");

  const double elapsed = Run(&load, seconds);
  Drain(&load);
  printf(
      "{\"connections\":%llu,\"seconds\":%.4f,\"connectionsPerSecond\":%.1f,\"refusals\":%llu}\n",
      (unsigned long long)load.connections, elapsed, (double)load.connections / elapsed,
      (unsigned long long)load.refusals);
  return 0;
}
