// CHECK aborts if an invariant of our own is broken. It never checks what a caller passed.

#ifndef PIPEWRIGHT_SRC_CORE_CHECK_H_
#define PIPEWRIGHT_SRC_CORE_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                               \
  do {                                                                                 \
    if (!(condition)) {                                                                \
      std::fprintf(stderr, "pipewright: %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                    \
    }                                                                                  \
  } while (0)

#endif  // PIPEWRIGHT_SRC_CORE_CHECK_H_
