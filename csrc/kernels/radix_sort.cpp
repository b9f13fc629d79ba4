// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/radix_sort.hpp"

#include <algorithm>
#include <array>

namespace eh::kernels {
namespace {

/// Digits of 8 bits while a line is short (clearing counters would cost more than a pass), 11 beyond.
template <int kBits, typename Item>
bool radix_sort(Item* items, Item* scratch, std::int64_t n) {
  using Key = KeyOf<Item>;
  constexpr int kWidth = static_cast<int>(sizeof(Key)) * 8;
  constexpr int kPasses = (kWidth + kBits - 1) / kBits;
  constexpr std::size_t kBuckets = std::size_t{1} << kBits;
  constexpr Key kMask = static_cast<Key>(kBuckets - 1);
  using Count = std::uint32_t;
  static thread_local std::array<std::array<Count, kBuckets>, kPasses> counts;
  for (auto& pass : counts) pass.fill(0);
  for (std::int64_t i = 0; i < n; ++i) {
    Key key = key_of(items[i]);
    for (int pass = 0; pass < kPasses; ++pass) {
      ++counts[static_cast<std::size_t>(pass)][static_cast<std::size_t>(key & kMask)];
      key = static_cast<Key>(kWidth > kBits ? key >> (kWidth > kBits ? kBits : 0) : 0);
    }
  }
  bool in_place = true;
  for (int pass = 0; pass < kPasses; ++pass) {
    auto& count = counts[static_cast<std::size_t>(pass)];
    const int shift = pass * kBits;
    const auto digit = [shift](const Item& item) {
      return static_cast<std::size_t>((key_of(item) >> shift) & kMask);
    };
    if (count[digit(items[0])] == static_cast<Count>(n)) continue;  // all alike
    Count next = 0;
    for (Count& c : count) next += std::exchange(c, next);
    for (std::int64_t i = 0; i < n; ++i) scratch[count[digit(items[i])]++] = items[i];
    std::swap(items, scratch);
    in_place = !in_place;
  }
  return in_place;
}

template <typename Item>
void insertion_sort(Item* items, std::int64_t n) {
  for (std::int64_t i = 1; i < n; ++i) {
    const Item item = items[i];
    std::int64_t j = i;
    for (; j > 0 && key_less(item, items[j - 1]); --j) items[j] = items[j - 1];
    items[j] = item;
  }
}

template <typename Item>
void comparison_sort(Item* items, std::int64_t n) {
  if constexpr (std::is_same_v<Item, KeyOf<Item>>)
    std::sort(items, items + n);
  else
    std::stable_sort(items, items + n, key_less<Item>);
}

}  // namespace

template <typename Item>
bool sort_items(Item* items, Item* scratch, std::int64_t n) {
  constexpr std::int64_t kInsertion = 24;
  constexpr std::int64_t kLong = std::int64_t{1} << 14;
  constexpr std::int64_t kCounted = std::int64_t{1} << 32;  // counters are 32 bits wide
  using Key = KeyOf<Item>;
  if (n <= kInsertion) {
    insertion_sort(items, n);
    return true;
  }
  if constexpr (!std::is_same_v<Key, Key128>) {
    if (n >= kCounted || n < static_cast<std::int64_t>(sizeof(Key)) * 40) {
      comparison_sort(items, n);
      return true;
    }
    if (n >= kLong && sizeof(Key) > 2) return radix_sort<11>(items, scratch, n);
    return radix_sort<8>(items, scratch, n);
  } else {
    comparison_sort(items, n);
    return true;
  }
}

template bool sort_items(Record32*, Record32*, std::int64_t);
template bool sort_items(Record64*, Record64*, std::int64_t);
template bool sort_items(Record128*, Record128*, std::int64_t);
template bool sort_items(std::uint8_t*, std::uint8_t*, std::int64_t);
template bool sort_items(std::uint16_t*, std::uint16_t*, std::int64_t);
template bool sort_items(std::uint32_t*, std::uint32_t*, std::int64_t);
template bool sort_items(std::uint64_t*, std::uint64_t*, std::int64_t);
template bool sort_items(Key128*, Key128*, std::int64_t);

}  // namespace eh::kernels
