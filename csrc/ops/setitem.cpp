// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/gather.hpp"
#include "ops/index_axes.hpp"
#include "ops/manipulation.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// What is written: the sliced array, its index and what the key's arrays say.
struct Region {
  DNDarray target;  ///< view of x, ascending slices, integers as slices of one
  IndexPlan plan;
  ArrayKey arrays;  ///< unless the key's array is one mask
  std::vector<int> labels;
  Shape index;  ///< extents of the axes that the arrays make
};

Region find_region(const DNDarray& x, const Key& key) {
  IndexPlan plan = plan_key(x, key);
  const bool mask = is_mask(key);
  if (key.arrays.empty() || mask) {
    const Shape index = mask ? Shape{count_true(key.arrays[0])} : Shape{};
    std::vector<int> labels = mask_labels(plan);
    return {slice_view(x, ascending_axes(plan)), std::move(plan), {}, std::move(labels), index};
  }
  ArrayKey arrays = array_key(x, key, plan);
  Shape index = index_shape(arrays.indices);
  DNDarray target = slice_view(x, ascending_axes(plan));
  if (!arrays.fresh.empty()) target = expand_dims(target, arrays.fresh);
  std::vector<int> labels = arrays.labels;
  return {std::move(target), std::move(plan), std::move(arrays), std::move(labels), std::move(index)};
}

/// The shape x[key] has.
Shape result_shape(const Region& region) {
  Shape shape;
  for (int axis : region.plan.result) {
    if (axis == IndexPlan::kNew)
      shape.push_back(1);
    else if (axis != IndexPlan::kArray)
      shape.push_back(region.plan.axes[at(axis)].count);
    else
      shape.insert(shape.end(), region.index.begin(), region.index.end());
  }
  return shape;
}

[[noreturn]] void refuse(const DNDarray& value, const Shape& shape, const Key& key) {
  if (is_mask(key) && shape.size() == 1 && value.ndim() == 1)
    throw ValueError(message("NumPy boolean array indexing assignment cannot assign ", value.shape()[0],
                             " input values to the ", shape[0], " output values where the mask is true"));
  if (!key.arrays.empty())
    throw ValueError(message("shape mismatch: value array of shape ", to_string(value.shape()),
                             " could not be broadcast to indexing result of shape ", to_string(shape)));
  throw ValueError(message("could not broadcast input array from shape ", to_string(value.shape()),
                           " into shape ", to_string(shape)));
}

/// The value with as many axes as `shape`: leading axes of extent 1 are dropped or added, as NumPy does.
DNDarray fit(const DNDarray& value, const Shape& shape, const Key& key) {
  std::vector<int> extra;
  const int surplus = value.ndim() - static_cast<int>(shape.size());
  for (int axis = 0; axis < surplus; ++axis) {
    if (value.shape()[at(axis)] != 1) refuse(value, shape, key);
    extra.push_back(axis);
  }
  for (std::size_t i = 1; i <= std::min(shape.size(), at(value.ndim())); ++i) {
    const std::int64_t n = value.shape()[at(value.ndim()) - i];
    if (n != 1 && n != shape[shape.size() - i]) refuse(value, shape, key);
  }
  if (!extra.empty()) return squeeze(value, extra);
  for (int axis = 0; axis < -surplus; ++axis) extra.push_back(axis);
  return extra.empty() ? value : expand_dims(value, extra);
}

/// From the result's axes back to the target's: the way of getitem, backwards.
DNDarray unarrange(const DNDarray& value, const Region& region) {
  const AxisMap map(region.plan, region.labels);
  DNDarray out = map.added.empty() ? value : squeeze(value, map.added);
  if (!map.in_order()) {
    std::vector<int> inverse(map.order.size());
    for (std::size_t i = 0; i < map.order.size(); ++i) inverse[at(map.order[i])] = static_cast<int>(i);
    out = permute(out, inverse);
  }
  return map.dropped.empty() ? out : expand_dims(out, map.dropped);
}

/// Axes under a negative step run backwards; a value that is one everywhere needs no flip.
DNDarray turn(const DNDarray& value, const Region& region) {
  std::vector<int> axes;
  for (int axis : backward_axes(region.plan)) {
    const auto here = std::find(region.labels.begin(), region.labels.end(), axis) - region.labels.begin();
    if (value.shape()[static_cast<std::size_t>(here)] > 1) axes.push_back(static_cast<int>(here));
  }
  return axes.empty() ? value : flip(value, axes);
}

/// The value on the axes of what is selected.
DNDarray prepare(const DNDarray& value, const Region& region, const Key& key) {
  const DNDarray fitted = fit(value, result_shape(region), key);
  if (value.ndim() == 0) return value;
  return turn(unarrange(fitted, region), region);
}

void write(const Region& region, const Key& key, const DNDarray& value) {
  if (key.arrays.empty()) {
    at::Tensor block = region.target.local();
    block.copy_(spread(value, region.target.layout()));
  } else if (is_mask(key)) {
    put_mask(region.target, key.arrays[0], region.plan.arrays[0].axis, value, region.index[0]);
  } else {
    put_at(region.target, region.arrays.indices, value, Write::Last);
  }
}

/// Memory that several elements share cannot be written to.
DNDarray writable(const DNDarray& x) {
  return elements_overlap(x.local()) ? x.with_local(x.local().clone(at::MemoryFormat::Contiguous)) : x;
}

}  // namespace

DNDarray setitem(const DNDarray& x, const Key& key, const DNDarray& value) {
  EH_CHECK(value.comm_ptr() == x.comm_ptr(), NotSupported,
           "setitem: the value lives on another communicator");
  const DNDarray out = writable(x);
  const Region region = find_region(out, key);
  const bool shared = value.local().is_alias_of(out.local());
  const DNDarray given = prepare(shared ? value.with_local(value.local().clone()) : value, region, key);
  write(region, key, given);
  return out;
}

}  // namespace eh
