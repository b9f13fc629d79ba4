// SPDX-License-Identifier: BSD-3-Clause
#include "ops/indexing.hpp"

#include <algorithm>

#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/index_axes.hpp"
#include "ops/manipulation.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

DNDarray apply_array(const DNDarray& x, const Key& key, const IndexPlan& plan) {
  if (!key.array) return x;
  if (is_mask(key)) return select_mask(x, *key.array, plan.array_axis);
  return take_rows(x, row_numbers(key, plan, x.shape()), plan.array_axis);
}

/// Integer axes dropped, the array's axis put in its place, new axes inserted. Local but for a dropped split.
DNDarray arrange(const DNDarray& x, const IndexPlan& plan) {
  const AxisMap map(plan, x.ndim());
  const bool loses_split = std::binary_search(map.dropped.begin(), map.dropped.end(), x.split());
  DNDarray out = loses_split ? resplit(x, kNoSplit) : x;
  if (!map.dropped.empty()) out = squeeze(out, map.dropped);
  if (!map.in_order()) out = permute(out, map.order);
  return map.added.empty() ? out : expand_dims(out, map.added);
}

/// An array of integers with other than one axis: its axis, in the result, takes the array's shape.
DNDarray unfold(const DNDarray& x, const Key& key, const IndexPlan& plan) {
  if (!key.array || is_mask(key) || key.array->ndim() == 1) return x;
  const auto place =
      std::find(plan.result.begin(), plan.result.end(), IndexPlan::kArray) - plan.result.begin();
  Shape shape = x.shape();
  shape.erase(shape.begin() + place);
  shape.insert(shape.begin() + place, key.array->shape().begin(), key.array->shape().end());
  const int extra = key.array->ndim() - 1;
  return reshape(x, shape, x.split() > place ? x.split() + extra : x.split());
}

}  // namespace

bool is_mask(const Key& key) {
  return std::any_of(key.items.begin(), key.items.end(),
                     [](const KeyItem& item) { return item.kind == KeyItem::Kind::Mask; });
}

IndexPlan plan_key(const DNDarray& x, const Key& key) {
  EH_CHECK(!key.array || key.array->comm_ptr() == x.comm_ptr(), NotSupported,
           "index: the array in the index lives on another communicator");
  return plan_index(key.items, x.shape());
}

std::vector<std::int64_t> row_numbers(const Key& key, const IndexPlan& plan, const Shape& shape) {
  const at::Tensor flat =
      resplit(*key.array, kNoSplit).local().to(at::kCPU, at::kLong).reshape({-1}).contiguous();
  const auto* data = flat.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> rows(data, data + flat.numel());
  const std::int64_t extent = shape[static_cast<std::size_t>(plan.array_axis)];
  for (std::int64_t& row : rows) {
    EH_CHECK(row >= -extent && row < extent, IndexError, "index ", row, " is out of bounds for axis ",
             plan.array_axis, " with size ", extent);
    if (row < 0) row += extent;
  }
  return rows;
}

AxisMap::AxisMap(const IndexPlan& plan, int ndim) {
  const auto current = [&](int axis) {  // an input axis after the array's axes became one
    return !plan.has_array || axis < plan.array_axis ? axis : axis - plan.array_ndim + 1;
  };
  std::vector<int> kept;
  for (std::size_t i = 0; i < plan.result.size(); ++i) {
    const int axis = plan.result[i];
    if (axis == IndexPlan::kNew)
      added.push_back(static_cast<int>(i));
    else
      kept.push_back(axis == IndexPlan::kArray ? plan.array_axis : current(axis));
  }
  for (int axis = 0; axis < ndim; ++axis) {
    if (std::find(kept.begin(), kept.end(), axis) == kept.end()) dropped.push_back(axis);
  }
  for (int axis : kept) {
    const auto before = std::lower_bound(dropped.begin(), dropped.end(), axis) - dropped.begin();
    order.push_back(axis - static_cast<int>(before));
  }
}

std::vector<int> backward_axes(const IndexPlan& plan) {
  std::vector<int> out;
  for (std::size_t axis = 0; axis < plan.axes.size(); ++axis) {
    if (plan.axes[axis].step < 0 && plan.axes[axis].count > 1) out.push_back(static_cast<int>(axis));
  }
  return out;
}

std::vector<AxisSlice> ascending_axes(const IndexPlan& plan) {
  std::vector<AxisSlice> out;
  for (const AxisSlice& slice : plan.axes) out.push_back(ascending(slice));
  return out;
}

DNDarray getitem(const DNDarray& x, const Key& key) {
  const IndexPlan plan = plan_key(x, key);
  DNDarray out = slice_view(x, ascending_axes(plan));
  const std::vector<int> backward = backward_axes(plan);
  if (!backward.empty()) out = flip(out, backward);
  out = apply_array(out, key, plan);
  return unfold(arrange(out, plan), key, plan);
}

}  // namespace eh
