// The C column of bench/echo, bench/connect and bench/memory: echo_server PATH
//
// What libuv can do at best in one thread: every read lands in one buffer, because what was read is
// either written at once or copied away; only the part of a chunk that the kernel did not take gets
// a write request of its own.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

// A buffer of 512 KiB: with 64 KiB it would be no limit, JavaScript with a larger one was faster.
enum { kReadSize = 512 << 10, kBacklog = 511 };

struct pending_write {
  uv_write_t request;
  char bytes[];
};

static char read_buffer[kReadSize];

static void Check(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
  exit(1);
}

static void OnClose(uv_handle_t* handle) { free(handle); }

static void Close(uv_stream_t* stream) {
  if (!uv_is_closing((uv_handle_t*)stream)) uv_close((uv_handle_t*)stream, OnClose);
}

static void OnAllocate(uv_handle_t* handle, size_t suggested_size, uv_buf_t* buffer) {
  (void)handle;
  (void)suggested_size;
  *buffer = uv_buf_init(read_buffer, kReadSize);
}

static void OnRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

static void OnWrite(uv_write_t* request, int status) {
  uv_stream_t* stream = request->handle;
  free(request->data);
  if (status == 0) {
    Check(uv_read_start(stream, OnAllocate, OnRead), "uv_read_start");
  } else {
    Close(stream);
  }
}

// Reading stops until the rest is out, so a connection has at most one chunk waiting.
static void WriteRest(uv_stream_t* stream, const char* bytes, size_t count) {
  struct pending_write* rest = malloc(sizeof(*rest) + count);
  if (rest == NULL) abort();
  memcpy(rest->bytes, bytes, count);
  rest->request.data = rest;
  uv_read_stop(stream);
  uv_buf_t buffer = uv_buf_init(rest->bytes, (unsigned)count);
  Check(uv_write(&rest->request, stream, &buffer, 1, OnWrite), "uv_write");
}

static void OnRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count < 0) return Close(stream);
  if (count == 0) return;
  uv_buf_t chunk = uv_buf_init(buffer->base, (unsigned)count);
  int written = uv_try_write(stream, &chunk, 1);
  if (written == UV_EAGAIN) written = 0;
  if (written < 0) return Close(stream);
  if (written < count) WriteRest(stream, buffer->base + written, (size_t)(count - written));
}

static void OnConnection(uv_stream_t* server, int status) {
  Check(status, "accept");
  uv_pipe_t* connection = malloc(sizeof(*connection));
  if (connection == NULL) abort();
  Check(uv_pipe_init(server->loop, connection, 0), "uv_pipe_init");
  Check(uv_accept(server, (uv_stream_t*)connection), "uv_accept");
  Check(uv_read_start((uv_stream_t*)connection, OnAllocate, OnRead), "uv_read_start");
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: echo_server PATH\n");
    return 1;
  }
  uv_loop_t* loop = uv_default_loop();
  uv_pipe_t server;
  Check(uv_pipe_init(loop, &server, 0), "uv_pipe_init");
  Check(uv_pipe_bind(&server, argv[1]), "bind");
  Check(uv_listen((uv_stream_t*)&server, kBacklog, OnConnection), "listen");
  puts("listening");
  fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}
