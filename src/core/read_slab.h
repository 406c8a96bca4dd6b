// The memory for reads. libuv reads into 64 KiB slabs that belong to C++; lib/ copies
// each small read out into a Buffer of its own, so a slab is used again and again.
// A read that fills half a slab or more from its start is not copied: the slab
// itself becomes the user's Buffer and C++ forgets it. So no chunk shows, pins or
// shares memory with another connection's bytes, and none pins more than twice its
// size.

#ifndef PIPEWRIGHT_SRC_CORE_READ_SLAB_H_
#define PIPEWRIGHT_SRC_CORE_READ_SLAB_H_

#include <napi.h>
#include <uv.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace pipewright {

class ReadSlabs {
 public:
  static constexpr size_t kSlabSize = 64 * 1024;
  // A read of this size or more is given away with its slab.
  static constexpr size_t kGiveAwaySize = kSlabSize / 2;

  explicit ReadSlabs(Napi::Env env);

  // JavaScript's view: the Buffers, by number.
  Napi::Array table() const { return table_.Value(); }

  // Room for one read. `large`: the reader's last read was a large one, so it gets
  // a slab of its own. The buffer is empty if memory is out or if this turn has filled
  // kMaxSlabs: the read then waits for the next turn.
  uv_buf_t Allocate(bool large);

  // Records a read of `length` bytes into the room that Allocate() returned last.
  struct Place {
    bool given_away;
    int32_t position;  // Number of the slab when given away; else slab * kSlabSize + offset.
  };
  Place Commit(size_t length);

  // Room for one read of which JavaScript sees nothing, the same each time: it stays in the
  // processor's cache. The buffer is empty if memory is out.
  uv_buf_t Scratch();

  // Empties the slabs, once all reads were delivered.
  void Recycle();

 private:
  struct Slab {
    char* data = nullptr;  // nullptr: given away, no memory behind this number.
    size_t used = 0;
  };

  // Slabs kept for the next turn: what 50 busy connections need, and no more.
  static constexpr size_t kKeptSlabs = 8;
  // One turn may fill 16 MiB.
  static constexpr size_t kMaxSlabs = 256;
  // More than a Unix socket holds.
  static constexpr size_t kScratchSize = 512 * 1024;

  bool IsFit(const Slab& slab, bool large) const;
  bool AllocateSlab(size_t number);

  Napi::Env env_;
  Napi::Reference<Napi::Array> table_;
  std::vector<Slab> slabs_;
  size_t current_ = 0;
  std::unique_ptr<char[]> scratch_;  // Made when it is first used.
};

}  // namespace pipewright

#endif  // PIPEWRIGHT_SRC_CORE_READ_SLAB_H_
