// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <vector>

#include "ops/index_arrays.hpp"
#include "ops/indexing.hpp"

/// What reading and writing through an index share.
namespace eh {

/// From the axes of what slices and arrays select to the axes of the result: squeeze `dropped`, permute by `order`,
/// insert axes at `added`.
struct AxisMap {
  /// `labels` are the axes selected: an axis of x, or IndexPlan::kArray for one that the arrays make.
  AxisMap(const IndexPlan& plan, const std::vector<int>& labels);
  bool in_order() const { return std::is_sorted(order.begin(), order.end()); }

  std::vector<int> dropped;  ///< ascending
  std::vector<int> order;
  std::vector<int> added;  ///< ascending, places in the result
};

/// The array of a key is one mask: its axes become one, without numbering its elements.
bool is_mask(const Key& key);
/// plan_index, after a check that the key's arrays live on x's ranks.
IndexPlan plan_key(const DNDarray& x, const Key& key);
/// Axes with a negative step, which are sliced forward and then flipped.
std::vector<int> backward_axes(const IndexPlan& plan);
std::vector<AxisSlice> ascending_axes(const IndexPlan& plan);
/// Labels of the axes after one mask.
std::vector<int> mask_labels(const IndexPlan& plan);

/// A key's arrays as integers on axes of the sliced array.
struct ArrayKey {
  IndexArrays indices;     ///< masks as the positions where they hold
  std::vector<int> fresh;  ///< axes of extent 1 to insert into the sliced array first, for masks without axes
  std::vector<int> labels;  ///< of gather_at's result
};
/// An integer on x's split axis is left to the arrays, not to the slices, when one of them is split: the plan changes.
/// Collective if a mask is split.
ArrayKey array_key(const DNDarray& x, const Key& key, IndexPlan& plan);

}  // namespace eh
