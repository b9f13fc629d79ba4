// SPDX-License-Identifier: BSD-3-Clause
#include "comm/message_exchange.hpp"

#include <algorithm>
#include <array>
#include <sched.h>

namespace eh {
namespace {

/// The largest tag but one that every MPI has.
constexpr int kTag = 32766;
constexpr std::int64_t kLeast = 64 << 10;
constexpr std::int64_t kMost = 1 << 20;
/// Partners at a time: each costs two buffers each way.
constexpr int kPartners = 4;
constexpr std::size_t kSlots = 2;

/// One direction with one rank: messages in turns through two slots.
class Pipe {
 public:
  Pipe(MPI_Comm comm, int peer, const Stream& stream)
      : comm_(comm), peer_(peer), progress_(stream), left_(progress_.left()), piece_(message_bytes(left_)) {}

  bool done() const { return progress_.left() == 0 && under_way_ == 0; }

 protected:
  struct Slot {
    std::vector<std::byte> buffer;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  /// Whether the oldest message under way has arrived.
  bool oldest_is_done() {
    int done = 0;
    EH_MPI(MPI_Test(&slots_[first_].request, &done, MPI_STATUS_IGNORE));
    return done != 0;
  }
  void retire() {
    first_ = (first_ + 1) % kSlots;
    --under_way_;
  }
  Slot& next_slot() { return slots_[(first_ + under_way_) % kSlots]; }
  std::byte* buffer_of(Slot& slot) {
    if (slot.buffer.empty()) slot.buffer.resize(static_cast<std::size_t>(piece_));
    return slot.buffer.data();
  }

  MPI_Comm comm_;
  int peer_;
  Progress progress_;
  std::int64_t left_;  ///< bytes no message has been started for
  std::int64_t piece_;
  std::array<Slot, kSlots> slots_;
  std::size_t first_ = 0;
  std::size_t under_way_ = 0;
};

class OutPipe : public Pipe {
 public:
  using Pipe::Pipe;
  bool advance() {
    bool moved = false;
    if (under_way_ > 0 && oldest_is_done()) {
      retire();
      moved = true;
    }
    while (under_way_ < kSlots && left_ > 0) {
      Slot& slot = next_slot();
      const std::int64_t n = std::min(piece_, left_);
      const std::byte* from = progress_.memory();
      std::byte* const packed = from == nullptr ? buffer_of(slot) : nullptr;
      progress_.next(n, [&](const StridedView& v, auto first, auto bytes, auto place) {
        if (packed != nullptr) v.pack(first, bytes, packed + place);
      });
      if (packed != nullptr) from = packed;
      EH_MPI(MPI_Isend(from, static_cast<int>(n), MPI_BYTE, peer_, kTag, comm_, &slot.request));
      left_ -= n;
      ++under_way_;
      moved = true;
    }
    return moved;
  }
};

class InPipe : public Pipe {
 public:
  using Pipe::Pipe;
  bool advance() {
    bool moved = false;
    while (under_way_ < kSlots && left_ > 0) {
      Slot& slot = next_slot();
      const std::int64_t n = std::min(piece_, left_);
      EH_MPI(MPI_Irecv(buffer_of(slot), static_cast<int>(n), MPI_BYTE, peer_, kTag, comm_, &slot.request));
      left_ -= n;
      ++under_way_;
      moved = true;
    }
    if (under_way_ > 0 && oldest_is_done()) {
      const std::byte* const packed = slots_[first_].buffer.data();
      progress_.next(piece_, [&](const StridedView& v, auto first, auto bytes, auto place) {
        v.unpack(first, bytes, packed + place);
      });
      retire();
      moved = true;
    }
    return moved;
  }
};

}  // namespace

std::int64_t message_bytes(std::int64_t bytes) {
  return std::min(std::clamp(bytes / 16 / 64 * 64, kLeast, kMost), std::max<std::int64_t>(bytes, 1));
}

void message_exchange(MPI_Comm comm, const std::vector<Stream>& sends, const std::vector<Stream>& recvs) {
  int rank = 0;
  EH_MPI(MPI_Comm_rank(comm, &rank));
  const int size = static_cast<int>(sends.size());
  for (int step = 1; step < size; step += kPartners) {
    std::vector<OutPipe> out;
    std::vector<InPipe> in;
    for (int k = step; k < std::min(step + kPartners, size); ++k) {
      const int to = (rank + k) % size;
      const int from = (rank + size - k) % size;
      out.emplace_back(comm, to, sends[static_cast<std::size_t>(to)]);
      in.emplace_back(comm, from, recvs[static_cast<std::size_t>(from)]);
    }
    const auto pending = [&] {
      return std::any_of(out.begin(), out.end(), [](const Pipe& pipe) { return !pipe.done(); }) ||
             std::any_of(in.begin(), in.end(), [](const Pipe& pipe) { return !pipe.done(); });
    };
    for (int idle = 0; pending();) {
      bool moved = false;
      for (InPipe& pipe : in) moved |= pipe.advance();
      for (OutPipe& pipe : out) moved |= pipe.advance();
      idle = moved ? 0 : idle + 1;
      if (idle > 1000) sched_yield();
    }
  }
}

}  // namespace eh
