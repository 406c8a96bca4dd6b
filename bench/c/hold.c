// The clients of bench/memory: hold PATH CONNECTIONS EXCHANGES
//
// Opens the connections, has EXCHANGES bytes echoed on each, prints {"connections":N} and then
// keeps them open and silent until it is ended by a signal.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

enum { kMostConnections = 1000000, kMostExchanges = 1000000 };

static void ExchangeByte(int fd) {
  char byte = 'x';
  if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1) Fail("send");
  errno = 0;
  if (recv(fd, &byte, 1, 0) != 1) Fail("the server did not answer");
}

int main(int argc, char** argv) {
  if (argc != 4) Fail("usage: hold PATH CONNECTIONS EXCHANGES");
  const long count = NumberArgument(argc, argv, 2, "CONNECTIONS", kMostConnections);
  const long exchanges =
      atol(argv[3]) == 0 ? 0 : NumberArgument(argc, argv, 3, "EXCHANGES", kMostExchanges);

  for (long i = 0; i < count; i++) {
    const int fd = ConnectTo(argv[1]);
    for (long j = 0; j < exchanges; j++) ExchangeByte(fd);
  }
  printf("{\"connections\":%ld}\n", count);
  fflush(stdout);
  pause();
  return 0;
}
