// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "kernels/sort_key.hpp"

namespace eh::kernels {

/// A key and where its value came from.
struct Record32 {
  std::uint32_t key;
  std::uint32_t index;
};
struct Record64 {
  std::uint64_t key;
  std::uint64_t index;
};
struct Record128 {
  Key128 key;
  std::uint64_t index;
};

template <typename Key>
const Key& key_of(const Key& item) {
  return item;
}
inline std::uint32_t key_of(const Record32& item) { return item.key; }
inline std::uint64_t key_of(const Record64& item) { return item.key; }
inline const Key128& key_of(const Record128& item) { return item.key; }

template <typename Item>
using KeyOf = std::remove_cvref_t<decltype(key_of(std::declval<const Item&>()))>;

template <typename Item>
bool key_less(const Item& a, const Item& b) {
  return key_of(a) < key_of(b);
}

namespace detail {

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

}  // namespace detail

/// Stable. Returns false if the sorted items are in `scratch`, which has room for n.
template <typename Item>
bool sort_items(Item* items, Item* scratch, std::int64_t n) {
  constexpr std::int64_t kInsertion = 24;
  constexpr std::int64_t kLong = std::int64_t{1} << 14;
  constexpr std::int64_t kCounted = std::int64_t{1} << 32;  // counters are 32 bits wide
  using Key = KeyOf<Item>;
  if (n <= kInsertion) {
    detail::insertion_sort(items, n);
    return true;
  }
  if constexpr (!std::is_same_v<Key, Key128>) {
    if (n >= kCounted || n < static_cast<std::int64_t>(sizeof(Key)) * 40) {
      detail::comparison_sort(items, n);
      return true;
    }
    if (n >= kLong && sizeof(Key) > 2) return detail::radix_sort<11>(items, scratch, n);
    return detail::radix_sort<8>(items, scratch, n);
  } else {
    detail::comparison_sort(items, n);
    return true;
  }
}

}  // namespace eh::kernels
