// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <vector>

#include "ops/indexing.hpp"

/// What reading and writing through an index share. All local but row_numbers.
namespace eh {

/// From the axes of the sliced array (those under an array are one) to the axes of the result:
/// squeeze `dropped`, permute by `order`, insert axes at `added`.
struct AxisMap {
  AxisMap(const IndexPlan& plan, int ndim);
  bool in_order() const { return std::is_sorted(order.begin(), order.end()); }

  std::vector<int> dropped;  ///< ascending
  std::vector<int> order;
  std::vector<int> added;  ///< ascending, places in the result
};

bool is_mask(const Key& key);
/// plan_index, after a check that the key's array lives on x's ranks.
IndexPlan plan_key(const DNDarray& x, const Key& key);
/// Axes with a negative step, which are sliced forward and then flipped.
std::vector<int> backward_axes(const IndexPlan& plan);
std::vector<AxisSlice> ascending_axes(const IndexPlan& plan);
/// The key's array of integers, flat, none negative. Collective if it is split: every rank needs all of it.
/// @throws IndexError for one out of bounds
std::vector<std::int64_t> row_numbers(const Key& key, const IndexPlan& plan, const Shape& shape);

}  // namespace eh
