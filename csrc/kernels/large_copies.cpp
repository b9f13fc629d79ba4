// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/large_copies.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "kernels/copy.hpp"

namespace eh::kernels {
namespace {

/// Nanoseconds a KiB through the caches and past them, 0 where nothing is known, for results between two powers of two.
struct Class {
  std::atomic<float> cost[2];
  std::atomic<unsigned> turn;
};

constexpr int kClasses = 8;
constexpr unsigned kTrial = 32;  ///< one copy of so many goes the other way

Class& class_of(std::size_t bytes) {
  static Class classes[kClasses];
  const int above = static_cast<int>(std::bit_width(bytes / static_cast<std::size_t>(kBeyondCaches))) - 1;
  return classes[std::clamp(above, 0, kClasses - 1)];
}

bool is_large(std::size_t bytes) { return bytes >= static_cast<std::size_t>(kBeyondCaches); }

}  // namespace

bool goes_past_caches(std::size_t result_bytes) {
  if (!is_large(result_bytes)) return false;
  const Class& here = class_of(result_bytes);
  const float through = here.cost[0].load(std::memory_order_relaxed);
  return through == 0 || here.cost[1].load(std::memory_order_relaxed) < through;
}

bool next_goes_past_caches(std::size_t result_bytes) {
  if (!is_large(result_bytes)) return false;
  Class& here = class_of(result_bytes);
  for (const bool past : {true, false})
    if (here.cost[past].load(std::memory_order_relaxed) == 0) return past;
  const bool trial = here.turn.fetch_add(1, std::memory_order_relaxed) % kTrial == kTrial - 1;
  return goes_past_caches(result_bytes) != trial;
}

void note_copy(bool past_caches, std::size_t result_bytes, std::size_t bytes, std::chrono::nanoseconds time) {
  if (!is_large(result_bytes) || bytes == 0) return;
  // What slowed one copy down (new pages, neighbours) weighs less than what it can do.
  constexpr float kRise = 0.125F, kFall = 0.5F;
  std::atomic<float>& cost = class_of(result_bytes).cost[past_caches];
  const float before = cost.load(std::memory_order_relaxed);
  const float now =
      1024.F * static_cast<float>(std::max<long long>(1, time.count())) / static_cast<float>(bytes);
  cost.store(before == 0 ? now : before + (now > before ? kRise : kFall) * (now - before),
             std::memory_order_relaxed);
}

}  // namespace eh::kernels
