// SPDX-License-Identifier: BSD-3-Clause
#include "layout/slicing.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace eh {
namespace {

using Kind = KeyItem::Kind;
using Rows = std::vector<std::int64_t>;

/// Smallest k >= 0 with start + k * step >= bound.
std::int64_t steps_to(std::int64_t bound, std::int64_t start, std::int64_t step) {
  return bound <= start ? 0 : (bound - start + step - 1) / step;
}

/// A bound given by the user, from the end if negative, cut to [low, high].
std::int64_t clip_bound(std::int64_t bound, std::int64_t extent, std::int64_t low, std::int64_t high) {
  return std::clamp(bound < 0 ? bound + extent : bound, low, high);
}

int axes_taken(const KeyItem& item) {
  if (item.kind == Kind::NewAxis || item.kind == Kind::Ellipsis) return 0;
  return item.kind == Kind::Mask ? static_cast<int>(item.array.size()) : 1;
}

bool is_array(const KeyItem& item) { return item.kind == Kind::Mask || item.kind == Kind::Take; }

void check_key(const std::vector<KeyItem>& key, int ndim) {
  int taken = 0;
  int ellipses = 0;
  for (const KeyItem& item : key) {
    taken += axes_taken(item);
    ellipses += item.kind == Kind::Ellipsis;
  }
  EH_CHECK(ellipses <= 1, IndexError, "an index can only have a single ellipsis ('...')");
  EH_CHECK(taken <= ndim, IndexError, "too many indices for array: array is ", ndim, "-dimensional, but ",
           taken, " were indexed");
}

/// The key with one Ellipsis written out as full slices, also at the end.
std::vector<KeyItem> expand_ellipsis(const std::vector<KeyItem>& key, int ndim) {
  int taken = 0;
  for (const KeyItem& item : key) taken += axes_taken(item);
  const KeyItem all{Kind::Slice, {}, {}, {}, {}};
  const auto rest = static_cast<std::size_t>(ndim - taken);
  std::vector<KeyItem> out;
  bool found = false;
  for (const KeyItem& item : key) {
    if (item.kind == Kind::Ellipsis) {
      out.insert(out.end(), rest, all);
      found = true;
    } else {
      out.push_back(item);
    }
  }
  if (!found) out.insert(out.end(), rest, all);
  return out;
}

AxisSlice integer_slice(std::int64_t index, int axis, std::int64_t extent) {
  EH_CHECK(index >= -extent && index < extent, IndexError, "index ", index, " is out of bounds for axis ",
           axis, " with size ", extent);
  return {index < 0 ? index + extent : index, 1, 1};
}

void check_mask(const Shape& mask, const Shape& shape, std::size_t axis) {
  for (std::size_t i = 0; i < mask.size(); ++i) {
    EH_CHECK(mask[i] == shape[axis + i], IndexError, "boolean index did not match indexed array along axis ",
             axis + i, "; size of axis is ", shape[axis + i], " but size of corresponding boolean axis is ",
             mask[i]);
  }
}

/// NumPy puts the arrays' axes first when a slice, None or ... (even of no axes) stands between them, or between one
/// and an integer.
bool array_goes_first(const std::vector<KeyItem>& key) {
  int runs = 0;
  bool inside = false;
  for (const KeyItem& item : key) {
    const bool advanced = is_array(item) || item.kind == Kind::Integer;
    runs += advanced && !inside;
    inside = advanced;
  }
  return runs > 1;
}

/// Otherwise they stand at the place of the first integer or array. `key` has no Ellipsis any more.
std::ptrdiff_t array_place(const std::vector<KeyItem>& key) {
  const auto first = std::find_if(key.begin(), key.end(), [](const KeyItem& item) {
    return is_array(item) || item.kind == Kind::Integer;
  });
  return first - key.begin();
}

void add_array(IndexPlan& plan, const KeyItem& item, const Shape& shape) {
  const std::size_t axis = plan.axes.size();
  if (item.kind == Kind::Mask) check_mask(item.array, shape, axis);
  plan.arrays.push_back({static_cast<int>(axis), axes_taken(item)});
  for (int i = 0; i < plan.arrays.back().ndim; ++i)
    plan.axes.push_back({0, 1, shape[axis + static_cast<std::size_t>(i)]});
}

}  // namespace

AxisSlice slice_axis(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                     std::optional<std::int64_t> step, std::int64_t extent) {
  const std::int64_t by = step.value_or(1);
  EH_CHECK(by != 0, ValueError, "slice step cannot be zero");
  if (by > 0) {
    const std::int64_t first = clip_bound(start.value_or(0), extent, 0, extent);
    const std::int64_t last = stop ? clip_bound(*stop, extent, 0, extent) : extent;
    return {first, by, last > first ? (last - first - 1) / by + 1 : 0};
  }
  const std::int64_t first = start ? clip_bound(*start, extent, -1, extent - 1) : extent - 1;
  const std::int64_t last = stop ? clip_bound(*stop, extent, -1, extent - 1) : -1;
  return {first, by, first > last ? (first - last - 1) / -by + 1 : 0};
}

AxisSlice ascending(const AxisSlice& slice) {
  if (slice.count == 0) return {0, 1, 0};
  if (slice.count == 1) return {slice.start, 1, 1};
  if (slice.step > 0) return slice;
  return {slice.start + (slice.count - 1) * slice.step, -slice.step, slice.count};
}

SplitSlice slice_counts(const Rows& owned, const AxisSlice& slice) {
  SplitSlice out;
  std::int64_t offset = 0;
  for (std::int64_t n : owned) {
    const std::int64_t first = std::min(steps_to(offset, slice.start, slice.step), slice.count);
    const std::int64_t last = std::min(steps_to(offset + n, slice.start, slice.step), slice.count);
    out.counts.push_back(last - first);
    out.starts.push_back(last > first ? slice.start + first * slice.step - offset : 0);
    offset += n;
  }
  return out;
}

IndexPlan plan_index(const std::vector<KeyItem>& key, const Shape& shape) {
  const int ndim = static_cast<int>(shape.size());
  check_key(key, ndim);
  const std::vector<KeyItem> items = expand_ellipsis(key, ndim);
  IndexPlan plan;
  for (const KeyItem& item : items) {
    const int axis = static_cast<int>(plan.axes.size());
    if (item.kind == Kind::NewAxis) {
      plan.result.push_back(IndexPlan::kNew);
    } else if (is_array(item)) {
      add_array(plan, item, shape);
    } else if (item.kind == Kind::Integer) {
      plan.axes.push_back(integer_slice(*item.start, axis, shape[static_cast<std::size_t>(axis)]));
      plan.integers.push_back(axis);
    } else {
      plan.axes.push_back(
          slice_axis(item.start, item.stop, item.step, shape[static_cast<std::size_t>(axis)]));
      plan.result.push_back(axis);
    }
  }
  if (!plan.arrays.empty()) {
    const std::ptrdiff_t place = array_goes_first(key) ? 0 : array_place(items);
    plan.result.insert(plan.result.begin() + place, IndexPlan::kArray);
  }
  return plan;
}

}  // namespace eh
