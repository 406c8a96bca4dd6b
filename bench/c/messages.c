// Framed messages to a child that echoes them, so many in flight, over a socketpair: the floor of
// bench/messages. A frame is 8 bytes of header, which begin with the length, and the message;
// nothing is encoded. messages SIZE IN_FLIGHT SECONDS; prints {"messagesPerSecond": N,
// "processorMicroseconds": N}.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define HEADER 8
#define WARM_UP_SECONDS 1.0

// Room for every frame that can be in flight, so that frames are sent from where they were read.
struct ring {
  char* bytes;
  size_t frame;  // Bytes of one frame, with its header.
  size_t size;   // Bytes of all frames.
  uint64_t in;   // Bytes ever read, or made.
  uint64_t out;  // Bytes ever sent, or looked at.
};

static struct ring MakeRing(size_t message, size_t frames) {
  struct ring ring = {.frame = HEADER + message, .size = (HEADER + message) * frames};
  ring.bytes = malloc(ring.size);
  if (ring.bytes == NULL) Fail("malloc");
  memset(ring.bytes, 'x', ring.size);
  return ring;
}

static char* At(const struct ring* ring, uint64_t position) {
  return ring->bytes + position % ring->size;
}

// From `position` up to the end of the ring's memory, at the most `count`.
static size_t Stretch(const struct ring* ring, uint64_t position, size_t count) {
  const size_t rest = ring->size - position % ring->size;
  return count < rest ? count : rest;
}

// Returns how many bytes were read; blocks only if it may. 0 is the end of the stream.
static size_t ReadSome(int fd, struct ring* ring, size_t room, int may_block) {
  for (;;) {
    const size_t length = Stretch(ring, ring->in, room);
    const ssize_t count = recv(fd, At(ring, ring->in), length, may_block ? 0 : MSG_DONTWAIT);
    if (count >= 0) {
      ring->in += (uint64_t)count;
      return (size_t)count;
    }
    if (errno != EINTR && errno != EAGAIN) Fail("recv");
  }
}

static void SendSome(int fd, struct ring* ring, uint64_t end) {
  while (ring->out < end) {
    const size_t length = Stretch(ring, ring->out, (size_t)(end - ring->out));
    const ssize_t count = send(fd, At(ring, ring->out), length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) Fail("send");
    ring->out += (uint64_t)count;
  }
}

// Waits until there is something to read, or, with something unsent, room for it. Returns whether
// there is something to read. A blocking read takes the place of poll(2) while all was sent.
static int Wait(int fd, int unsent) {
  if (!unsent) return 1;
  struct pollfd entry = {.fd = fd, .events = POLLIN | POLLOUT};
  while (poll(&entry, 1, -1) < 0) {
    if (errno != EINTR) Fail("poll");
  }
  return (entry.revents & (POLLIN | POLLHUP)) != 0;
}

static void CheckHeader(const struct ring* ring, uint64_t position) {
  uint32_t length;
  memcpy(&length, At(ring, position), sizeof(length));
  errno = 0;
  if (length != ring->frame - HEADER) Fail("a frame of %u bytes", length);
}

static uint64_t WholeFrames(const struct ring* ring, uint64_t position) {
  return position - position % ring->frame;
}

static void Echo(int fd, size_t message, size_t in_flight) {
  struct ring ring = MakeRing(message, in_flight);
  for (;;) {
    const uint64_t before = WholeFrames(&ring, ring.in);
    if (Wait(fd, ring.out < before) &&
        ReadSome(fd, &ring, ring.size - (size_t)(ring.in - ring.out), ring.out == before) == 0) {
      return;
    }
    const uint64_t whole = WholeFrames(&ring, ring.in);
    for (uint64_t frame = before; frame < whole; frame += ring.frame) CheckHeader(&ring, frame);
    SendSome(fd, &ring, whole);
  }
}

struct mark {
  uint64_t messages;
  int64_t time;
  int64_t processor_time;
};

static int64_t ClockNanoseconds(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) Fail("clock_gettime");
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct mark Mark(uint64_t messages, clockid_t child_clock) {
  return (struct mark){
      .messages = messages,
      .time = NowNanoseconds(),
      .processor_time = ClockNanoseconds(CLOCK_PROCESS_CPUTIME_ID) + ClockNanoseconds(child_clock),
  };
}

static void MakeFrame(struct ring* ring, uint64_t index) {
  char* const frame = At(ring, ring->in);
  const uint32_t length = (uint32_t)(ring->frame - HEADER);
  memset(frame, 0, HEADER);
  memcpy(frame, &length, sizeof(length));
  memcpy(frame + HEADER, &index, sizeof(index));
  ring->in += ring->frame;
}

// A reply must be the message that was sent first of those whose reply has not come.
static void CheckReply(const struct ring* ring, uint64_t index) {
  CheckHeader(ring, ring->out);
  const char* const frame = At(ring, ring->out);
  errno = 0;
  if (memcmp(frame + HEADER, &index, sizeof(index)) != 0 || frame[ring->frame - 1] != 'x') {
    Fail("a reply is not what was sent");
  }
}

static void Measure(int fd, size_t message, size_t in_flight, double seconds,
                    clockid_t child_clock) {
  struct ring sent = MakeRing(message, in_flight);
  struct ring came = MakeRing(message, in_flight);
  uint64_t made = 0;
  uint64_t replies = 0;
  while (made < in_flight) MakeFrame(&sent, made++);
  int64_t deadline = NowNanoseconds() + (int64_t)(WARM_UP_SECONDS * 1e9);
  struct mark began = {0};
  SendSome(fd, &sent, sent.in);
  for (;;) {
    const int unsent = sent.out < sent.in;
    if (Wait(fd, unsent) && ReadSome(fd, &came, came.size, !unsent) == 0) {
      errno = 0;
      Fail("the child ended");
    }
    for (; came.in - came.out >= came.frame; came.out += came.frame) {
      CheckReply(&came, replies++);
      MakeFrame(&sent, made++);
    }
    SendSome(fd, &sent, sent.in);
    if (NowNanoseconds() < deadline) continue;
    const struct mark now = Mark(replies, child_clock);
    if (began.time != 0) {
      const double count = (double)(now.messages - began.messages);
      printf("{\"messagesPerSecond\": %.1f, \"processorMicroseconds\": %.3f}\n",
             count / (double)(now.time - began.time) * 1e9,
             (double)(now.processor_time - began.processor_time) / 1e3 / count);
      return;
    }
    began = now;
    deadline = now.time + (int64_t)(seconds * 1e9);
  }
}

int main(int argc, char** argv) {
  const size_t message = (size_t)NumberArgument(argc, argv, 1, "SIZE", 1 << 30);
  const size_t in_flight = (size_t)NumberArgument(argc, argv, 2, "IN_FLIGHT", 1 << 20);
  const double seconds = SecondsArgument(argc, argv, 3);
  errno = 0;
  if (message <= sizeof(uint64_t)) Fail("SIZE must be above 8");
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) Fail("socketpair");
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    close(pair[0]);
    Echo(pair[1], message, in_flight);
    return 0;
  }
  close(pair[1]);
  clockid_t child_clock;
  if (clock_getcpuclockid(child, &child_clock) != 0) Fail("clock_getcpuclockid");
  Measure(pair[0], message, in_flight, seconds, child_clock);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return 0;
}
