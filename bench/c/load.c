// The load of bench/echo: load PATH CONNECTIONS BYTES IN_FLIGHT SECONDS
//
// Keeps IN_FLIGHT messages of BYTES bytes under way on every connection, checks what comes back and
// prints one line of JSON. Plain epoll in one thread: about as much work a message as the
// C server has.
//
// Every connection has a ring of IN_FLIGHT slots. A message stays in its slot until its reply has
// come in full, so the ring is both what is sent and what the reply is compared with. All positions
// count bytes since the connection began.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "histogram.h"

enum {
  kMostConnections = 100000,
  kMostBytes = 16 << 20,
  kMostInFlight = 4096,
  kReadSize = 256 << 10,
  // Of a run of received bytes this many are compared: all of a small message, the head of a large
  // one.
  kComparedBytes = 4096,
  kEventsPerWait = 256,
  kPatienceMilliseconds = 5000,
};

struct connection {
  int fd;
  int waits_for_room;
  char* ring;
  uint64_t queued;
  uint64_t sent;
  uint64_t received;
  int64_t sent_at;
};

struct load {
  size_t message_size;
  size_t in_flight;
  size_t ring_size;
  int epoll_fd;
  long connection_count;
  struct connection* connections;
  uint64_t messages;
  uint64_t outstanding;
  int draining;
  struct histogram latencies;
  char read_buffer[kReadSize];
};

static void Watch(struct load* load, struct connection* connection, int operation) {
  struct epoll_event event = {
      .events = EPOLLIN | (connection->waits_for_room ? EPOLLOUT : 0),
      .data.ptr = connection,
  };
  if (epoll_ctl(load->epoll_fd, operation, connection->fd, &event) != 0) Fail("epoll_ctl");
}

static void SetWaitsForRoom(struct load* load, struct connection* connection, int waits) {
  if (connection->waits_for_room == waits) return;
  connection->waits_for_room = waits;
  Watch(load, connection, EPOLL_CTL_MOD);
}

static void Flush(struct load* load, struct connection* connection) {
  while (connection->sent < connection->queued) {
    const size_t offset = connection->sent % load->ring_size;
    const size_t left = connection->queued - connection->sent;
    const size_t run = left < load->ring_size - offset ? left : load->ring_size - offset;
    const ssize_t count = send(connection->fd, connection->ring + offset, run, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return SetWaitsForRoom(load, connection, 1);
    if (count < 0) Fail("send");
    connection->sent += (uint64_t)count;
  }
  SetWaitsForRoom(load, connection, 0);
}

// The head of a message is its number, so that a lost or repeated message of the same content is
// noticed.
static void QueueMessage(struct load* load, struct connection* connection) {
  const uint64_t number = connection->queued / load->message_size;
  const size_t stamp_size =
      load->message_size < sizeof(number) ? load->message_size : sizeof(number);
  memcpy(connection->ring + connection->queued % load->ring_size, &number, stamp_size);
  connection->queued += load->message_size;
}

static void QueueMessages(struct load* load, struct connection* connection, uint64_t count) {
  if (load->in_flight == 1) connection->sent_at = NowNanoseconds();
  load->outstanding += count;
  for (uint64_t i = 0; i < count; i++) QueueMessage(load, connection);
  Flush(load, connection);
}

static void Verify(const struct load* load, const struct connection* connection, size_t count) {
  errno = 0;
  if (connection->received + count > connection->sent)
    Fail("the server sent more than it was sent");
  for (size_t checked = 0; checked < count;) {
    const size_t offset = (connection->received + checked) % load->ring_size;
    const size_t left = count - checked;
    const size_t run = left < load->ring_size - offset ? left : load->ring_size - offset;
    const size_t compared = run < kComparedBytes ? run : kComparedBytes;
    if (memcmp(load->read_buffer + checked, connection->ring + offset, compared) != 0)
      Fail("the reply differs");
    checked += run;
  }
}

static void Receive(struct load* load, struct connection* connection) {
  const ssize_t count = recv(connection->fd, load->read_buffer, kReadSize, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) Fail("recv");
  errno = 0;
  if (count == 0) Fail("the server closed a connection");
  Verify(load, connection, (size_t)count);
  const uint64_t before = connection->received / load->message_size;
  connection->received += (uint64_t)count;
  const uint64_t finished = connection->received / load->message_size - before;
  load->outstanding -= finished;
  if (finished == 0 || load->draining) return;
  load->messages += finished;
  if (load->in_flight == 1)
    HistogramAdd(&load->latencies, (uint64_t)(NowNanoseconds() - connection->sent_at));
  QueueMessages(load, connection, finished);
}

static void OpenConnection(struct load* load, struct connection* connection, const char* path) {
  connection->fd = ConnectTo(path);
  SetNonblocking(connection->fd);
  connection->ring = malloc(load->ring_size);
  if (connection->ring == NULL) Fail("malloc");
  for (size_t i = 0; i < load->ring_size; i++) connection->ring[i] = (char)rand();
  Watch(load, connection, EPOLL_CTL_ADD);
}

static void Turn(struct load* load) {
  struct epoll_event events[kEventsPerWait];
  const int count = epoll_wait(load->epoll_fd, events, kEventsPerWait, kPatienceMilliseconds);
  if (count < 0 && errno != EINTR) Fail("epoll_wait");
  errno = 0;
  if (count == 0) Fail("no reply for %d ms", kPatienceMilliseconds);
  for (int i = 0; i < count; i++) {
    struct connection* connection = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) Flush(load, connection);
    if (events[i].events & ~(uint32_t)EPOLLOUT) Receive(load, connection);
  }
}

static double Run(struct load* load, double seconds) {
  const int64_t start = NowNanoseconds();
  const int64_t end = start + (int64_t)(seconds * 1e9);
  for (long i = 0; i < load->connection_count; i++)
    QueueMessages(load, &load->connections[i], load->in_flight);
  while (NowNanoseconds() < end) Turn(load);
  return (double)(NowNanoseconds() - start) / 1e9;
}

// Closing a socket with unread bytes resets the connection, and a server may take that for an
// error.
static void Drain(struct load* load) {
  load->draining = 1;
  while (load->outstanding > 0) Turn(load);
}

static void Report(const struct load* load, double seconds) {
  const double rate = (double)load->messages / seconds;
  printf("{\"messages\":%llu,\"seconds\":%.4f,\"messagesPerSecond\":%.1f,\"bytesPerSecond\":%.0f",
         (unsigned long long)load->messages, seconds, rate, rate * (double)load->message_size);
  if (load->in_flight == 1) {
    printf(",\"p50Microseconds\":%.2f,\"p99Microseconds\":%.2f,\"p999Microseconds\":%.2f",
           (double)HistogramPercentile(&load->latencies, 0.50) / 1e3,
           (double)HistogramPercentile(&load->latencies, 0.99) / 1e3,
           (double)HistogramPercentile(&load->latencies, 0.999) / 1e3);
  }
  printf("}\n");
}

int main(int argc, char** argv) {
  static struct load load;
  if (argc != 6) Fail("usage: load PATH CONNECTIONS BYTES IN_FLIGHT SECONDS");
  load.connection_count = NumberArgument(argc, argv, 2, "CONNECTIONS", kMostConnections);
  load.message_size = (size_t)NumberArgument(argc, argv, 3, "BYTES", kMostBytes);
  load.in_flight = (size_t)NumberArgument(argc, argv, 4, "IN_FLIGHT", kMostInFlight);
  load.ring_size = load.message_size * load.in_flight;
  const double seconds = SecondsArgument(argc, argv, 5);

  load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (load.epoll_fd < 0) Fail("epoll_create1");
  load.connections = calloc((size_t)load.connection_count, sizeof(*load.connections));
  if (load.connections == NULL) Fail("calloc");
  for (long i = 0; i < load.connection_count; i++)
    OpenConnection(&load, &load.connections[i], argv[1]);

  const double elapsed = Run(&load, seconds);
  Drain(&load);
  Report(&load, elapsed);
  return 0;
}
