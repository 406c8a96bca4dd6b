// The worker's end of the socket on which connections come; connection_sender.h describes the
// bytes. Writes the worker's page too.
//
// A message is received by one plain recvmsg(2). If the table of descriptors is full, the kernel
// drops those that did not fit; the primary has copies. The worker refuses these by their ids, and
// says when there is room again.

#ifndef PIPEWRIGHT_SRC_CLUSTER_CONNECTION_RECEIVER_H_
#define PIPEWRIGHT_SRC_CLUSTER_CONNECTION_RECEIVER_H_

#include <napi.h>

#include <cstdint>
#include <vector>

#include "cluster/connection_socket.h"
#include "cluster/worker_page.h"
#include "core/loop_timer.h"
#include "core/table_waiter.h"
#include "descriptors/ancillary.h"

namespace pipewright {

class ConnectionReceiver : public Napi::ObjectWrap<ConnectionReceiver>, public ConnectionSocket {
 public:
  static Napi::Function Define(Napi::Env env, CompletionQueue* queue);

  explicit ConnectionReceiver(const Napi::CallbackInfo& info);

  Napi::Value OpenFd(const Napi::CallbackInfo& info);
  Napi::Value TakeConnections(const Napi::CallbackInfo& info);
  Napi::Value CountAccepted(const Napi::CallbackInfo& info);
  Napi::Value ConnectionClosed(const Napi::CallbackInfo& info);
  Napi::Value Answer(const Napi::CallbackInfo& info);

 protected:
  void BeforeClose() override;

 private:
  struct Received {
    int fd;
    uint32_t id;
    uint32_t listener;
  };

  static void OnReady(uv_poll_t* poll, int status, int events);

  void UpdatePoll() override;
  void Receive();
  bool ReceiveOne();
  void OnTable();
  void SendAnswers();
  void OnBeat();
  static void Count(std::atomic<uint64_t>* counter, uint64_t count) {
    counter->store(counter->load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

  TableWaiter table_waiter_;
  LoopTimer beat_timer_;
  WorkerPage page_;
  uint64_t beat_interval_ = 0;  // Milliseconds.
  uint64_t beat_due_ = 0;       // Nanoseconds of uv_hrtime().
  std::vector<Received> received_;
  // What the next answer reports.
  std::vector<uint32_t> read_;
  std::vector<uint32_t> taken_;
  std::vector<uint32_t> refused_;
  std::vector<uint32_t> closed_;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CLUSTER_CONNECTION_RECEIVER_H_
