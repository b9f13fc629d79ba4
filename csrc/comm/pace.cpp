// SPDX-License-Identifier: BSD-3-Clause
#include "comm/pace.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

namespace eh {

std::uint64_t clock_ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

namespace {

float ticks_a_kib(std::size_t bytes, std::uint64_t ticks) {
  return 1024.F * static_cast<float>(ticks) / static_cast<float>(bytes);
}

}  // namespace

void Costs::add(Way way, std::size_t bytes, std::uint64_t ticks) {
  constexpr float kOutlier = 4, kRise = 0.125F, kFall = 0.5F;
  std::atomic<float>& cost = ticks_[static_cast<int>(way)];
  const float before = cost.load(std::memory_order_relaxed);
  const float now = ticks_a_kib(bytes, ticks);
  const float change = std::min(now, kOutlier * before) - before;
  cost.store(before == 0 ? now : before + (change > 0 ? kRise : kFall) * change, std::memory_order_relaxed);
}

Way Pace::choose(std::size_t bytes, const float (&read)[kWays], int ways) {
  if (bytes < kLeast) return Way::Cached;
  int best = 0;
  for (int way = 0; way < ways; ++way) {
    if (costs_.of(way) == 0 || read[way] == 0) return static_cast<Way>(way);
    if (costs_.of(way) + read[way] < costs_.of(best) + read[best]) best = way;
  }
  if (++turn_ % kTrial != 0) return static_cast<Way>(best);
  const auto others = static_cast<std::uint64_t>(ways - 1);
  return static_cast<Way>((best + 1 + static_cast<int>(turn_ / kTrial % others)) % ways);
}

std::size_t Preference::class_of(std::size_t bytes) {
  constexpr int kFirst = 15;  // below 64 KiB all are one class, and above 1 GiB
  return static_cast<std::size_t>(
      std::clamp(static_cast<int>(std::bit_width(bytes)) - 1 - kFirst, 0, kClasses - 1));
}

Preference::Next Preference::next(std::size_t bytes) {
  Class& here = of(bytes);
  if (here.calls == here.period) {
    here.calls = 0;
    here.period = std::min(2 * here.period, kPeriod);
  }
  const std::uint64_t turn = here.calls++;
  if (turn == 2 * kTrials) return Next::Asked;
  const bool pull = turn < 2 * kTrials ? turn >= kTrials : here.pulls;
  return pull ? Next::Pulled : Next::Written;
}

void Preference::add(bool pulled, std::size_t bytes, std::uint64_t ticks) {
  // A mean: of two ways the one that varies more must not win by its best turns.
  constexpr float kOutlier = 4, kWeight = 0.25F;
  Class& here = of(bytes);
  if (std::exchange(here.last, pulled) != pulled) return;
  float& cost = here.costs[pulled];
  const float now = ticks_a_kib(bytes, ticks);
  cost = cost == 0 ? now : cost + kWeight * (std::min(now, kOutlier * cost) - cost);
}

}  // namespace eh
