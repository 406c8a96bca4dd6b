// What the client programs (load, connect_load, hold) and spawn share.
#ifndef PIPEWRIGHT_BENCH_CLIENT_H_
#define PIPEWRIGHT_BENCH_CLIENT_H_

#include <stdint.h>
#include <sys/un.h>

// Prints the message, with the text of errno when it is not 0, and exits with 1.
__attribute__((noreturn, format(printf, 1, 2))) void Fail(const char* format, ...);

int64_t NowNanoseconds(void);

// The number in argv[index], which must lie between 1 and `most`; exits otherwise.
long NumberArgument(int argc, char** argv, int index, const char* name, long most);

// The duration in argv[index], in seconds with a fraction.
double SecondsArgument(int argc, char** argv, int index);

struct sockaddr_un UnixAddress(const char* path);

// A connected blocking socket: connect() waits while the server's backlog is full.
int ConnectTo(const char* path);

void SetNonblocking(int fd);

#endif  // PIPEWRIGHT_BENCH_CLIENT_H_
