// SPDX-License-Identifier: BSD-3-Clause
#pragma once

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

/// Stable. Returns false if the sorted items are in `scratch`, which has room for n. Compiled once for each of the three
/// records and five keys (radix_sort.cpp).
template <typename Item>
bool sort_items(Item* items, Item* scratch, std::int64_t n);

}  // namespace eh::kernels
