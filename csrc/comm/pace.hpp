// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/// How bytes get to another rank of the node: it reads them where they were written for it, or where they lie.
///
/// Cores that share a cache hand each other lines that were just written. Between others (core complexes, sockets) a
/// line in the writer's cache takes longer to fetch than one in memory: 5 GB/s against 15 were measured. Which ranks
/// share a cache is nowhere to be asked (a hypervisor moves them), so that it is measured all the time. Reading where they lie
/// (comm/pull.hpp) saves a copy, but the kernel's copy may be slow: that is measured too.
namespace eh {

enum class Way : std::uint8_t { Cached, Streamed, Pulled };
inline constexpr int kWays = 3;
inline constexpr int kWritten = 2;  ///< of them, those that write

/// Ticks of a clock that all cores share.
std::uint64_t clock_ticks();

/// Ticks a KiB of each way, 0 where nothing is known. A reader keeps them in memory that the writer sees.
class Costs {
 public:
  float of(int way) const { return ticks_[way].load(std::memory_order_relaxed); }
  /// One more measurement. What a rank was kept from by others weighs little.
  void add(Way way, std::size_t bytes, std::uint64_t ticks);

 private:
  std::atomic<float> ticks_[kWays];
};

/// One rank's choice: the way that takes writer and reader least together; the others are tried now and then.
class Pace {
 public:
  static constexpr std::size_t kLeast =
      16 << 10;                                ///< bytes of a piece below which nothing is gained or measured
  static constexpr std::uint64_t kTrial = 64;  ///< one piece of so many goes another way

  /// @param read  what the ways cost the reader, or the slowest of several
  /// @param ways  how many of them there are for this piece
  Way choose(std::size_t bytes, const float (&read)[kWays], int ways = kWritten);
  /// What writing cost.
  Costs& costs() { return costs_; }

 private:
  Costs costs_{};
  std::uint64_t turn_ = 0;
};

/// The same for whole collectives of one kind: written through shared memory, or pulled. All ranks count their calls
/// alike; now and then both are tried, after which they compare what that took and agree until the next time.
class Preference {
 public:
  static constexpr std::uint64_t kFirstPeriod = 12, kPeriod = 128;  ///< calls from trial to trial, doubling
  static constexpr std::uint64_t kTrials = 3;                       ///< of either way, one after another

  enum class Next : std::uint8_t { Written, Pulled, Asked };
  /// What to do about the next call.
  Next next(std::size_t bytes);
  /// Ticks a KiB that this rank has measured.
  float cost(bool pulled, std::size_t bytes) const { return classes_[class_of(bytes)].costs[pulled]; }
  /// What was agreed on when asked.
  void agree(bool pull, std::size_t bytes) { of(bytes).pulls = pull; }
  void add(bool pulled, std::size_t bytes, std::uint64_t ticks);

 private:
  /// Of one power of two: where caches end, other things are fast.
  struct Class {
    float costs[2] = {0, 0};
    std::uint64_t calls = 0;  ///< since the last trial
    std::uint64_t period = kFirstPeriod;
    bool pulls = false;
    bool last = false;  ///< how the call before went, whose traces are in the caches
  };
  static constexpr int kClasses = 16;
  static std::size_t class_of(std::size_t bytes);
  Class& of(std::size_t bytes) { return classes_[class_of(bytes)]; }
  Class classes_[kClasses];
};

/// Does the work on a piece and adds what it took.
template <typename Work>
void measured(Costs& costs, Way way, std::size_t bytes, const Work& work) {
  if (bytes < Pace::kLeast) return work();
  const std::uint64_t begin = clock_ticks();
  work();
  costs.add(way, bytes, clock_ticks() - begin);
}

}  // namespace eh
