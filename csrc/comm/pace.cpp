// SPDX-License-Identifier: BSD-3-Clause
#include "comm/pace.hpp"

#include <algorithm>
#include <chrono>

namespace eh {

std::uint64_t clock_ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

void Costs::add(Way way, std::size_t bytes, std::uint64_t ticks) {
  constexpr float kOutlier = 4, kRise = 0.125F, kFall = 0.5F;
  std::atomic<float>& cost = ticks_[static_cast<int>(way)];
  const float before = cost.load(std::memory_order_relaxed);
  const float now = 1024.F * static_cast<float>(ticks) / static_cast<float>(bytes);
  const float change = std::min(now, kOutlier * before) - before;
  cost.store(before == 0 ? now : before + (change > 0 ? kRise : kFall) * change, std::memory_order_relaxed);
}

Way Pace::choose(std::size_t bytes, const float (&read)[kWays]) {
  if (bytes < kLeast) return Way::Cached;
  for (int way = 0; way < kWays; ++way)
    if (costs_.of(way) == 0 || read[way] == 0) return static_cast<Way>(way);
  const bool streamed = costs_.of(1) + read[1] < costs_.of(0) + read[0];
  const bool trial = ++turn_ % kTrial == 0;
  return streamed != trial ? Way::Streamed : Way::Cached;
}

}  // namespace eh
