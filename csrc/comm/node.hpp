// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "comm/call.hpp"
#include "comm/pace.hpp"
#include "comm/pull.hpp"
#include "comm/shared_memory.hpp"
#include "kernels/copy.hpp"

namespace eh {

class RingExchange;  // comm/rings.hpp

/// Waiting for other ranks of the node: spins first, then gives the core away, and lets MPI make progress, because a
/// rank we wait for may be waiting for a message of ours.
class Patience {
 public:
  Patience(MPI_Comm comm, bool crowded) : comm_(comm), crowded_(crowded) {}
  /// Called each time there was nothing to do.
  void wait();
  /// Called when there was.
  void reset() { turns_ = 0; }

 private:
  MPI_Comm comm_;
  bool crowded_;
  std::uint32_t turns_ = 0;
};

/// What one rank tells the others about its collectives (guard.hpp, leaving.hpp).
struct alignas(64) Board {
  static constexpr std::uint64_t kDepth = 16;
  static constexpr std::size_t kText = 512;
  std::atomic<std::uint64_t> published;  ///< calls announced
  std::atomic<std::uint64_t> checked;    ///< calls of all ranks compared
  std::atomic<std::uint64_t> told;       ///< the call `text` is about
  std::atomic<std::uint64_t> entered;    ///< collectives begun, checked mode or not
  std::int64_t process;
  char text[kText];
  alignas(64) std::byte calls[kDepth * sizeof(Call)];
};

/// How far one rank is in the collectives through slots.
struct alignas(64) Steps {
  std::atomic<std::uint64_t> done;
  std::atomic<Way> way;  ///< of what it wrote last; only for measurements, so that an older one does no harm
};

/// Where one rank's memory is to be read.
struct alignas(64) Notice {
  std::int64_t process;
  const std::uint64_t* proof;  ///< of the process: a number there that the others must find
  std::uint64_t number;
  // Of the collective under way.
  std::atomic<const std::byte*> in;
  std::atomic<const std::byte*> out;
  std::atomic<float> costs[2];  ///< of writing and of pulling
};

/// A ring of chunks from one rank to another.
struct Channel {
  static constexpr std::uint64_t kRing = 4;
  alignas(64) std::atomic<std::uint64_t> produced;
  Way ways[kRing];  ///< of the chunks that are produced
  alignas(64) std::atomic<std::uint64_t> consumed;
  Costs costs;  ///< of the reader
};

/// The window that ranks of one node share, cut into its parts. Every rank maps it; pages cost memory once touched.
class Node {
 public:
  /// A null pointer on all ranks where there is no shared memory for all of them. Collective.
  /// @param pull  of Settings
  static std::unique_ptr<Node> make(MPI_Comm comm, std::int64_t pull);

  int rank() const { return rank_; }
  int size() const { return size_; }
  Patience patience() const { return {comm_, crowded_}; }
  /// Waiting gives the core away at once.
  void be_polite() { crowded_ = true; }
  Board& board(int rank) const;
  /// Counts a collective that this rank begins.
  void enter() { board(rank_).entered.fetch_add(1, std::memory_order_release); }
  /// Two numbers for each pair of ranks and each call in flight: what `rank` sends to and receives from each.
  std::int64_t* board_counts(int rank, std::uint64_t call) const;
  Steps& steps(int rank) const;
  /// kSlot bytes that `rank` writes and all read.
  std::byte* slot(int rank) const;
  static constexpr std::size_t kSlot = 1 << 20;
  /// Memory for piece number `number` of a gathering that `rank` writes and all read: two take turns, over all
  /// gatherings of the communicator, so that a fast rank never overwrites what a slow one still reads.
  std::byte* piece(int rank, std::uint64_t number) const;
  static constexpr std::size_t kPiece = 128 << 10;
  std::uint64_t next_piece() { return pieces_done_++; }
  /// Exchanges that are waited for at once, and those whose halves are apart, have rings of their own.
  enum Lane : std::uint8_t { Blocking, Started };
  static constexpr std::size_t kLanes = 2;
  Channel& channel(int from, int to, Lane lane) const;
  std::byte* chunk(int from, int to, Lane lane, std::uint64_t number) const;
  std::size_t chunk_bytes() const { return chunk_; }
  static constexpr std::uint64_t kRing = Channel::kRing;

  /// Whether every rank can read the memory of every other.
  bool pulls() const { return pull_ != 0; }
  Notice& notice(int rank) const;
  /// Bytes of a collective, or of a piece in a ring, from which on pulling is thought of.
  static constexpr std::size_t kLeastPulled = 32 << 10;
  /// Whether to pull in a collective of so many bytes; if so, the others know where its operands lie. Collective.
  bool decides_to_pull(Preference& preference, const void* in, const void* out, std::size_t bytes);
  enum Kind : std::uint8_t { Reducing, Gathering };
  Preference& preference(Kind kind) { return preferences_[kind]; }
  /// Reads from a rank's memory.
  void pull_from(int rank, std::byte* to, const std::byte* from, std::int64_t bytes);

  /// How to move a piece that `reader` reads next, or that all read.
  /// @param rows  it lies in rows that can be pulled
  Way way_to(int reader, std::size_t bytes, Lane lane, bool rows);
  Way way_to_all(std::size_t bytes);
  /// Writes a piece for others.
  void put(void* to, const void* from, std::int64_t bytes, Way way);
  /// Reads a piece that `writer` wrote before its last step; past the caches if `out` is larger than they are.
  void take(void* out, const void* from, std::int64_t bytes, int writer, bool large = false);
  Costs& write_costs() { return pace_.costs(); }
  Costs& read_costs(int writer, Lane lane) const { return channel(writer, rank_, lane).costs; }
  Way way_of(int writer) const { return steps(writer).way.load(std::memory_order_relaxed); }
  /// kPiece bytes of this rank alone; more of them behind.
  std::byte* scratch(std::size_t number = 0);
  static constexpr std::size_t kScratch = 3;

  /// Says that this rank has done one more step (and how it wrote); waits until all have. A barrier in two halves.
  void advance(Way way = Way::Cached);
  void await_all();

  /// Exchanges in the lane Started that are not complete, oldest first.
  std::deque<RingExchange*>& started() { return started_; }

 private:
  Node(MPI_Comm comm, int rank, int size, std::size_t chunk);
  bool can_pull();
  float slowest(bool pulled) const;
  std::size_t pair(int from, int to, Lane lane) const {
    return (static_cast<std::size_t>(from) * static_cast<std::size_t>(size_) + static_cast<std::size_t>(to)) *
               kLanes +
           lane;
  }
  std::byte* part(std::size_t offset) const { return memory_->data() + offset; }

  MPI_Comm comm_;
  int rank_;
  int size_;
  bool crowded_;
  std::size_t chunk_;
  std::size_t boards_, counts_, steps_, notices_, channels_, slots_, pieces_, chunks_, bytes_;
  std::unique_ptr<SharedMemory> memory_;
  std::uint64_t step_ = 0;
  std::uint64_t pieces_done_ = 0;
  std::deque<RingExchange*> started_;
  Pace pace_;
  std::int64_t pull_ = 0;
  Preference preferences_[2];
  std::unique_ptr<std::byte[]> scratch_;
};

}  // namespace eh
