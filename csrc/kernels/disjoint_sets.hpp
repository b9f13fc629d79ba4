// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace eh::kernels {

/// A partition of 0 .. n-1 that grows coarser (Tarjan 1975). The representative of a set is its least element.
class DisjointSets {
 public:
  explicit DisjointSets(std::int64_t n) : parent_(static_cast<std::size_t>(n)) {
    std::iota(parent_.begin(), parent_.end(), std::int64_t{0});
  }

  std::int64_t find(std::int64_t i) {
    while (parent(i) != i) i = parent(i) = parent(parent(i));
    return i;
  }
  /// Joins the sets of a and b; false if they were one already.
  bool unite(std::int64_t a, std::int64_t b) {
    a = find(a);
    b = find(b);
    if (a == b) return false;
    if (a > b) std::swap(a, b);
    parent(b) = a;
    return true;
  }

 private:
  std::int64_t& parent(std::int64_t i) { return parent_[static_cast<std::size_t>(i)]; }
  std::vector<std::int64_t> parent_;
};

}  // namespace eh::kernels
