// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/index_axes.hpp"
#include "ops/manipulation.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

/// What is written: the sliced array, its index and what the key's array says.
struct Region {
  DNDarray target;  ///< view of x, ascending slices, integers as slices of one
  IndexPlan plan;
  std::int64_t extent;  ///< of the array's axis
  Rows rows;            ///< for an array of integers
};

Region find_region(const DNDarray& x, const Key& key) {
  IndexPlan plan = plan_key(x, key);
  Region region{slice_view(x, ascending_axes(plan)), std::move(plan), 0, {}};
  if (!key.array) return region;
  if (is_mask(key)) {
    region.extent = count_true(*key.array);
  } else {
    region.rows = row_numbers(key, region.plan, x.shape());
    region.extent = static_cast<std::int64_t>(region.rows.size());
  }
  return region;
}

/// The shape x[key] has; an array of integers counts with its own shape, or flat as one axis.
Shape result_shape(const Region& region, const Key& key, bool flat) {
  Shape shape;
  for (int axis : region.plan.result) {
    if (axis == IndexPlan::kNew)
      shape.push_back(1);
    else if (axis != IndexPlan::kArray)
      shape.push_back(region.plan.axes[at(axis)].count);
    else if (flat || is_mask(key))
      shape.push_back(region.extent);
    else
      shape.insert(shape.end(), key.array->shape().begin(), key.array->shape().end());
  }
  return shape;
}

[[noreturn]] void refuse(const DNDarray& value, const Shape& shape, const Key& key, std::int64_t extent) {
  if (key.array && is_mask(key) && shape.size() == 1 && value.ndim() == 1)
    throw ValueError(message("NumPy boolean array indexing assignment cannot assign ", value.shape()[0],
                             " input values to the ", extent, " output values where the mask is true"));
  if (key.array)
    throw ValueError(message("shape mismatch: value array of shape ", to_string(value.shape()),
                             " could not be broadcast to indexing result of shape ", to_string(shape)));
  throw ValueError(message("could not broadcast input array from shape ", to_string(value.shape()),
                           " into shape ", to_string(shape)));
}

/// The value with as many axes as `shape`: leading axes of extent 1 are dropped or added, as NumPy does.
DNDarray fit(const DNDarray& value, const Shape& shape, const Key& key, std::int64_t extent) {
  std::vector<int> extra;
  const int surplus = value.ndim() - static_cast<int>(shape.size());
  for (int axis = 0; axis < surplus; ++axis) {
    if (value.shape()[at(axis)] != 1) refuse(value, shape, key, extent);
    extra.push_back(axis);
  }
  for (std::size_t i = 1; i <= std::min(shape.size(), at(value.ndim())); ++i) {
    const std::int64_t n = value.shape()[at(value.ndim()) - i];
    if (n != 1 && n != shape[shape.size() - i]) refuse(value, shape, key, extent);
  }
  if (!extra.empty()) return squeeze(value, extra);
  for (int axis = 0; axis < -surplus; ++axis) extra.push_back(axis);
  return extra.empty() ? value : expand_dims(value, extra);
}

/// Axes of a value for several-dimensional integers, made one.
DNDarray fold(const DNDarray& value, const Region& region, const Key& key) {
  if (!key.array || is_mask(key) || key.array->ndim() == 1) return value;
  const auto place = std::find(region.plan.result.begin(), region.plan.result.end(), IndexPlan::kArray);
  const auto first = place - region.plan.result.begin();
  const Shape& index = key.array->shape();
  const auto taken = static_cast<std::ptrdiff_t>(index.size());
  Shape full = value.shape();
  std::copy(index.begin(), index.end(), full.begin() + first);
  Shape flat(full.begin(), full.begin() + first);
  flat.push_back(region.extent);
  flat.insert(flat.end(), full.begin() + first + taken, full.end());
  return reshape(broadcast_to(value, full), flat, std::nullopt);
}

/// From the result's axes back to the target's: the way of getitem, backwards.
DNDarray unarrange(const DNDarray& value, const Region& region) {
  const int axes = region.target.ndim() + (region.plan.has_array ? 1 - region.plan.array_ndim : 0);
  const AxisMap map(region.plan, axes);
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
    const int here =
        region.plan.has_array && axis >= region.plan.array_axis ? axis - region.plan.array_ndim + 1 : axis;
    if (value.shape()[at(here)] > 1) axes.push_back(here);
  }
  return axes.empty() ? value : flip(value, axes);
}

/// The value on the axes of the target.
DNDarray prepare(const DNDarray& value, const Region& region, const Key& key) {
  const DNDarray fitted = fit(value, result_shape(region, key, false), key, region.extent);
  if (value.ndim() == 0) return value;
  return turn(unarrange(fold(fitted, region, key), region), region);
}

void write(const Region& region, const Key& key, const DNDarray& value) {
  if (!key.array) {
    at::Tensor block = region.target.local();
    block.copy_(spread(value, region.target.layout()));
  } else if (is_mask(key)) {
    put_mask(region.target, *key.array, region.plan.array_axis, value, region.extent);
  } else {
    put_rows(region.target, region.rows, region.plan.array_axis, value);
  }
}

/// Memory that several elements share (a broadcast array) cannot be written to.
DNDarray writable(const DNDarray& x) {
  const at::IntArrayRef strides = x.local().strides();
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    if (strides[axis] == 0 && x.local().sizes()[axis] > 1)
      return x.with_local(x.local().clone(at::MemoryFormat::Contiguous));
  }
  return x;
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
