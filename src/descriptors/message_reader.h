// The receiving side of a MessageSocket: bytes, descriptors, or whole messages.
//
// A full table of descriptors loses nothing. The reader first looks at a message
// (MSG_PEEK), which puts copies of its descriptors into the table and leaves it queued.
// If all copies came, the reader takes exactly the bytes seen with no room for descriptors,
// so that the kernel drops its own. If not, it closes the copies and tries again later.
//
//   readable -> look -> all came ----------> take the bytes, note what came
//                    -> table full --------> wait: 50 ms, then each 500 ms, or until
//                                            this thread closes a descriptor
//                    -> can never come ----> the stream ends with an error
//
// In a stream the kernel's look goes on past plain messages, up to and with the first one
// that has descriptors. It goes on past the end of the room too, so it may show descriptors
// of a message without a byte of it. See TakeFullRoom().

#ifndef PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_READER_H_
#define PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_READER_H_

#include <sys/socket.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/table_waiter.h"
#include "descriptors/ancillary.h"
#include "descriptors/polled_socket.h"

namespace pipewright {

class MessageReader {
 public:
  struct Message {
    std::string bytes;
    std::vector<int> descriptors;
    std::string sender;
    bool has_credentials;
    ucred credentials;
  };

  explicit MessageReader(PolledSocket* socket);

  // Sets the options of the socket that reading relies on.
  void Open();
  // Stops for good and closes the descriptors that were not taken.
  void Close();

  // Reads bytes of a stream, or messages of other sockets, until Stop().
  void Start() { is_reading_ = true; }
  void Stop() { is_reading_ = false; }
  // Reads until `count` more descriptors came, and ignores the bytes. The last message may
  // have more descriptors than are left to receive: all of them come.
  void StartDescriptors(int32_t count);
  // The next `count` bytes are known to carry no descriptors: a plain read each is enough.
  void set_plain_bytes(uint64_t count) { plain_bytes_ = count; }
  // A message with more descriptors ends the stream with E2BIG.
  void set_max_descriptors(size_t count) { max_descriptors_ = count; }

  // Receives as much as one turn may, after poll(2) has reported the socket readable.
  void OnReadable();

  // What was received and not yet taken; its descriptors become the caller's.
  std::vector<int> TakeDescriptors();
  std::vector<Message> TakeMessages();

  bool is_idle() const { return received_.empty() && messages_.empty(); }
  bool wants_to_read() const { return wants_message() && !table_waiter_.is_waiting(); }
  bool waits_for_table() const { return table_waiter_.is_waiting(); }
  uint64_t descriptors_read() const { return descriptors_read_; }
  uint64_t table_waits() const { return table_waits_; }

 private:
  enum class Mode { kBytes, kDescriptors, kMessages };

  bool wants_message() const { return is_reading_ && (mode_ != Mode::kDescriptors || credit_ > 0); }
  void ReceiveSome();
  bool ReceiveOne();
  void ReceiveBytes();
  void ReceivePlainBytes(const uv_buf_t& room);
  bool ReceiveForDescriptors();
  bool ReceiveMessage();
  void NoteReceived();
  void EndReading(int err);
  bool HasBytes(ssize_t result);
  size_t TakeStream(uv_buf_t room, PeekedMessage* message);
  ssize_t TakeFullRoom(const uv_buf_t& room, PeekedMessage* message);
  size_t TakeUnseen(const uv_buf_t& room, PeekedMessage* message);
  size_t TakePlain(const uv_buf_t& room, PeekedMessage* message);
  bool RestorePeekOffset();
  bool RestoreCredentials();
  bool IsComplete(const PeekedMessage& message);
  void WaitForTable();
  void Discard(PeekedMessage* message);

  PolledSocket* socket_;  // Owns this reader.
  TableWaiter table_waiter_;
  Mode mode_ = Mode::kBytes;
  bool is_reading_ = false;
  bool has_polled_ = false;   // poll(2) has reported something, and no look followed yet.
  int32_t credit_ = 0;        // In mode kDescriptors: how many are still wanted.
  uint64_t plain_bytes_ = 0;  // How many bytes are known to carry no descriptors.
  size_t max_descriptors_ = kMaxDescriptorsPerMessage;
  std::deque<std::vector<int>> received_;  // In modes kBytes and kDescriptors.
  std::vector<Message> messages_;          // In mode kMessages.
  int32_t unnoted_ = 0;                    // Received since the last event.
  int hopeless_attempts_ = 0;              // Waits in a row that closing cannot end.
  uint64_t descriptors_read_ = 0;
  uint64_t table_waits_ = 0;
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_DESCRIPTORS_MESSAGE_READER_H_
