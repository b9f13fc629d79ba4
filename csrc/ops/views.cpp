// SPDX-License-Identifier: BSD-3-Clause
#include "ops/views.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "ops/selection.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

bool ascends(const IndexPlan& plan) {
  return std::all_of(plan.axes.begin(), plan.axes.end(),
                     [](const AxisSlice& slice) { return slice.step > 0 || slice.count <= 1; });
}

bool takes_row(const DNDarray& x, const IndexPlan& plan) {
  return x.is_distributed() && std::binary_search(plan.integers.begin(), plan.integers.end(), x.split());
}

/// What this rank has of every axis, counted from its own rows, and what all ranks have of the split.
struct OwnPart {
  std::vector<AxisSlice> axes;
  std::vector<std::int64_t> counts;
};

OwnPart own_part(const DNDarray& x, const IndexPlan& plan) {
  OwnPart part;
  for (const AxisSlice& slice : plan.axes) part.axes.push_back(ascending(slice));
  if (!x.layout().is_split()) return part;
  AxisSlice& along = part.axes[at(x.split())];
  SplitSlice split = slice_counts(x.layout().counts(), along);
  along.start = split.starts[at(x.comm().rank())];
  along.count = split.counts[at(x.comm().rank())];
  part.counts = std::move(split.counts);
  return part;
}

/// The part with the axes of the result. @pre the rank has a row of every axis under an integer
at::Tensor view_of(const DNDarray& x, const std::vector<AxisSlice>& axes, const std::vector<int>& result) {
  const at::IntArrayRef steps = x.local().strides();
  std::int64_t offset = x.local().storage_offset();
  for (std::size_t axis = 0; axis < axes.size(); ++axis) offset += axes[axis].start * steps[axis];
  c10::SmallVector<std::int64_t, 8> extents;
  c10::SmallVector<std::int64_t, 8> strides;
  for (const int axis : result) {
    const bool fresh = axis == IndexPlan::kNew;
    extents.push_back(fresh ? 1 : axes[at(axis)].count);
    strides.push_back(fresh ? 1 : axes[at(axis)].step * steps[at(axis)]);
  }
  return x.local().as_strided(extents, strides, offset);
}

Layout layout_of(const DNDarray& x, const IndexPlan& plan, std::vector<std::int64_t> counts) {
  Shape shape;
  int split = kNoSplit;
  for (const int axis : plan.result) {
    if (axis != IndexPlan::kNew && axis == x.split()) split = static_cast<int>(shape.size());
    shape.push_back(axis == IndexPlan::kNew ? 1 : plan.axes[at(axis)].count);
  }
  if (split == kNoSplit) return Layout::replicated(std::move(shape), x.comm().size());
  return Layout::with_counts(std::move(shape), split, std::move(counts));
}

/// Whether elements of x share memory, or a gradient must see the write.
bool cannot_write(const at::Tensor& block) { return needs_grad(block) || elements_overlap(block); }

/// The part that this rank writes; undefined where the row under an integer is another rank's.
at::Tensor written_part(const DNDarray& x, const IndexPlan& plan) {
  const OwnPart part = own_part(x, plan);
  for (const int axis : plan.integers) {
    if (part.axes[at(axis)].count == 0) return {};
  }
  return view_of(x, part.axes, plan.result);
}

/// NumPy's rule without its leading axes of extent 1.
bool broadcasts(const Shape& from, const std::vector<int>& result, const IndexPlan& plan) {
  if (from.size() > result.size()) return false;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    const int axis = result[result.size() - i];
    const std::int64_t wanted = axis == IndexPlan::kNew ? 1 : plan.axes[at(axis)].count;
    if (from[from.size() - i] != 1 && from[from.size() - i] != wanted) return false;
  }
  return true;
}

bool is_copied_plainly(const DNDarray& x, const DNDarray& value) {
  const at::ScalarType type = x.local().scalar_type();
  return !cannot_write(x.local()) && !needs_grad(value.local()) && value.comm_ptr() == x.comm_ptr() &&
         !value.is_distributed() && !value.local().is_alias_of(x.local()) &&
         (value.local().scalar_type() == type ||
          !(is_wide_unsigned(type) || is_wide_unsigned(value.local().scalar_type())));
}

}  // namespace

std::optional<DNDarray> basic_view(const DNDarray& x, const std::vector<KeyItem>& key) {
  if (needs_grad(x.local())) return std::nullopt;
  const IndexPlan plan = plan_index(key, x.shape());
  if (!ascends(plan) || takes_row(x, plan)) return std::nullopt;
  OwnPart part = own_part(x, plan);
  at::Tensor local = view_of(x, part.axes, plan.result);
  return DNDarray{std::move(local), share(layout_of(x, plan, std::move(part.counts))), x.comm_ptr()};
}

bool write_number(const DNDarray& x, const std::vector<KeyItem>& key, const at::Scalar& number) {
  if (cannot_write(x.local())) return false;
  at::Tensor part = written_part(x, plan_index(key, x.shape()));
  if (part.defined()) part.fill_(number);
  return true;
}

bool write_whole(const DNDarray& x, const std::vector<KeyItem>& key, const DNDarray& value) {
  if (!is_copied_plainly(x, value)) return false;
  const IndexPlan plan = plan_index(key, x.shape());
  if (!ascends(plan) || !broadcasts(value.shape(), plan.result, plan)) return false;
  if (x.is_distributed() && !takes_row(x, plan) && value.ndim() > 0) return false;  // the value must be cut
  at::Tensor part = written_part(x, plan);
  if (part.defined()) part.copy_(value.local());
  return true;
}

}  // namespace eh
