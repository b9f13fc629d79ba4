// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/// How bytes get into memory that another rank of the node reads next.
///
/// Cores that share a cache hand each other lines that were just written. Between others (core complexes, sockets) a
/// line in the writer's cache takes longer to fetch than one in memory: 5 GB/s against 15 were measured. Which ranks
/// share a cache is nowhere to be asked (a hypervisor moves them), so that it is measured all the time.
namespace eh {

enum class Way : std::uint8_t { Cached, Streamed };
inline constexpr int kWays = 2;

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

/// One rank's choice: the way that takes writer and reader least together; the other one is tried now and then.
class Pace {
 public:
  static constexpr std::size_t kLeast =
      16 << 10;                                ///< bytes of a piece below which nothing is gained or measured
  static constexpr std::uint64_t kTrial = 64;  ///< one piece of so many goes the other way

  /// @param read  what the two ways cost the reader, or the slowest of several
  Way choose(std::size_t bytes, const float (&read)[kWays]);
  /// What writing cost.
  Costs& costs() { return costs_; }

 private:
  Costs costs_{};
  std::uint64_t turn_ = 0;
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
