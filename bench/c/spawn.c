// The C column of bench/spawn: spawn ENGINE KIND MEGABYTES COUNT
//
// ENGINE is posix_spawn, or vfork: nothing but vfork and execve, the floor. Touches MEGABYTES of
// memory, then does COUNT times what KIND says (see bench/spawn.js) and prints the medians as JSON,
// in microseconds.

#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

enum { kMostMegabytes = 1000000, kMostSpawns = 100000, kBurst = 200 };

extern char** environ;

static int uses_vfork;

static pid_t SpawnVfork(char** arguments, int output) {
  const pid_t pid = vfork();
  if (pid == 0) {
    if (output >= 0) dup2(output, 1);
    execve(arguments[0], arguments, environ);
    _exit(127);
  }
  return pid;
}

static pid_t SpawnPosix(char** arguments, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, 1);
  pid_t pid;
  const int err = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return err == 0 ? pid : -1;
}

static pid_t Spawn(char** arguments, int output) {
  const pid_t pid = uses_vfork ? SpawnVfork(arguments, output) : SpawnPosix(arguments, output);
  if (pid < 0) Fail("spawn");
  return pid;
}

static pid_t SpawnTrue(void) {
  char* arguments[] = {"/bin/true", NULL};
  return Spawn(arguments, -1);
}

static void SpawnOne(double* blocked) {
  const int64_t began = NowNanoseconds();
  const pid_t pid = SpawnTrue();
  *blocked = (double)(NowNanoseconds() - began);
  waitpid(pid, NULL, 0);
}

static void SpawnBurst(double* blocked) {
  const int64_t began = NowNanoseconds();
  pid_t pids[kBurst];
  for (int i = 0; i < kBurst; i++) pids[i] = SpawnTrue();
  *blocked = (double)(NowNanoseconds() - began);
  for (int i = 0; i < kBurst; i++) waitpid(pids[i], NULL, 0);
}

static void Collect(double* blocked) {
  static char bytes[65536];
  char* arguments[] = {"/bin/sh", "-c", "head -c 1000000 /dev/zero", NULL};
  const int64_t began = NowNanoseconds();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t pid = Spawn(arguments, ends[1]);
  *blocked = (double)(NowNanoseconds() - began);
  close(ends[1]);
  while (read(ends[0], bytes, sizeof(bytes)) > 0) continue;
  close(ends[0]);
  waitpid(pid, NULL, 0);
}

static int Compare(const void* left, const void* right) {
  const double difference = *(const double*)left - *(const double*)right;
  return difference < 0 ? -1 : difference > 0;
}

static double MedianMicroseconds(double* values, long count) {
  qsort(values, (size_t)count, sizeof(*values), Compare);
  return values[count / 2] / 1000;
}

static void Touch(size_t size) {
  char* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) Fail("mmap");
  memset(memory, 1, size);
}

int main(int argc, char** argv) {
  if (argc != 5) Fail("usage: spawn ENGINE KIND MEGABYTES COUNT");
  uses_vfork = strcmp(argv[1], "vfork") == 0;
  void (*work)(double*) = SpawnOne;
  if (strcmp(argv[2], "burst") == 0) work = SpawnBurst;
  if (strcmp(argv[2], "exec") == 0) work = Collect;
  Touch((size_t)NumberArgument(argc, argv, 3, "MEGABYTES", kMostMegabytes) << 20);
  const long count = NumberArgument(argc, argv, 4, "COUNT", kMostSpawns);

  double* blocked = malloc((size_t)count * sizeof(*blocked));
  double* ended = malloc((size_t)count * sizeof(*ended));
  for (long i = 0; i < count; i++) {
    const int64_t began = NowNanoseconds();
    work(&blocked[i]);
    ended[i] = (double)(NowNanoseconds() - began);
  }
  printf("{\"blocked\":%.1f,\"ended\":%.1f}\n", MedianMicroseconds(blocked, count),
         MedianMicroseconds(ended, count));
  return 0;
}
