// SPDX-License-Identifier: BSD-3-Clause
#include "ops/index_axes.hpp"

#include <ATen/core/Tensor.h>

#include "base/error.hpp"

namespace eh {
namespace {

bool is_integers(const DNDarray& array) { return array.local().scalar_type() != at::kBool; }

/// The same array of n numbers on every rank.
DNDarray repeated(const DNDarray& like, std::int64_t value, const Shape& shape) {
  const at::Tensor numbers = like.local().new_full(sizes(shape), at::Scalar(value), at::kLong);
  return {numbers, share(Layout::replicated(shape, like.comm().size())), like.comm_ptr()};
}

/// An axis under an array, with the array that indexes it.
struct Indexed {
  int axis;    ///< of x; that of a new axis: in front of this one
  bool fresh;  ///< a new axis, for a mask without axes
  DNDarray array;
};

void add_mask(std::vector<Indexed>& out, const ArrayPlace& place, const DNDarray& mask) {
  if (place.ndim == 0) {
    const bool holds = mask.local().item<bool>();
    out.push_back({place.axis, true, repeated(mask, 0, {holds ? 1 : 0})});
    return;
  }
  const std::vector<DNDarray> positions = nonzero(mask);
  for (int i = 0; i < place.ndim; ++i) out.push_back({place.axis + i, false, positions[at(i)]});
}

/// The integer on x's split axis as an index, so that a split index need not be on every rank.
void move_integer(std::vector<Indexed>& out, const DNDarray& x, IndexPlan& plan) {
  const bool split_index =
      std::any_of(out.begin(), out.end(), [](const Indexed& i) { return i.array.layout().is_split(); });
  const auto found = std::find(plan.integers.begin(), plan.integers.end(), x.split());
  if (!split_index || !x.is_distributed() || found == plan.integers.end()) return;
  AxisSlice& slice = plan.axes[at(x.split())];
  out.push_back({x.split(), false, repeated(out[0].array, slice.start, {})});
  slice = {0, 1, x.shape()[at(x.split())]};
}

int dims_of(const std::vector<Indexed>& indexed) {
  int dims = 0;
  for (const Indexed& i : indexed) dims = std::max(dims, i.array.ndim());
  return dims;
}

}  // namespace

AxisMap::AxisMap(const IndexPlan& plan, const std::vector<int>& labels) {
  std::vector<int> kept;
  int place = 0;
  for (const int axis : plan.result) {
    if (axis == IndexPlan::kNew) {
      added.push_back(place++);
      continue;
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != axis) continue;
      kept.push_back(static_cast<int>(i));
      ++place;
    }
  }
  for (int axis = 0; axis < static_cast<int>(labels.size()); ++axis) {
    if (std::find(kept.begin(), kept.end(), axis) == kept.end()) dropped.push_back(axis);
  }
  for (const int axis : kept) {
    const auto before = std::lower_bound(dropped.begin(), dropped.end(), axis) - dropped.begin();
    order.push_back(axis - static_cast<int>(before));
  }
}

bool is_mask(const Key& key) { return key.arrays.size() == 1 && !is_integers(key.arrays[0]); }

IndexPlan plan_key(const DNDarray& x, const Key& key) {
  for (const DNDarray& array : key.arrays) {
    EH_CHECK(array.comm_ptr() == x.comm_ptr(), NotSupported,
             "index: an array in the index lives on another communicator");
  }
  return plan_index(key.items, x.shape());
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

std::vector<int> mask_labels(const IndexPlan& plan) {
  std::vector<int> labels;
  const int ndim = static_cast<int>(plan.axes.size());
  for (int axis = 0; axis <= ndim; ++axis) {
    if (!plan.arrays.empty() && axis == plan.arrays[0].axis) {
      labels.push_back(IndexPlan::kArray);
      axis += plan.arrays[0].ndim;
    }
    if (axis < ndim) labels.push_back(axis);
  }
  return labels;
}

ArrayKey array_key(const DNDarray& x, const Key& key, IndexPlan& plan) {
  std::vector<Indexed> indexed;
  for (std::size_t i = 0; i < key.arrays.size(); ++i) {
    if (is_integers(key.arrays[i]))
      indexed.push_back({plan.arrays[i].axis, false, key.arrays[i]});
    else
      add_mask(indexed, plan.arrays[i], key.arrays[i]);
  }
  move_integer(indexed, x, plan);
  std::stable_sort(indexed.begin(), indexed.end(), [](const Indexed& a, const Indexed& b) {
    return a.axis != b.axis ? a.axis < b.axis : a.fresh && !b.fresh;
  });
  ArrayKey out;
  std::size_t next = 0;
  int current = 0;
  for (int axis = 0; axis <= x.ndim(); ++axis) {
    bool taken = false;
    for (; next < indexed.size() && indexed[next].axis == axis; ++next) {
      out.indices.axes.push_back(current);
      out.indices.arrays.push_back(indexed[next].array);
      if (indexed[next].fresh) out.fresh.push_back(current);
      taken = taken || !indexed[next].fresh;
      ++current;
    }
    if (axis == x.ndim() || taken) continue;
    out.labels.push_back(axis);
    ++current;
  }
  const auto place = out.labels.begin() + index_place(out.indices.axes);
  out.labels.insert(place, static_cast<std::size_t>(dims_of(indexed)), IndexPlan::kArray);
  return out;
}

}  // namespace eh
