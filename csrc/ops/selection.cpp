// SPDX-License-Identifier: BSD-3-Clause
#include "ops/selection.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"

namespace eh {
DNDarray slice_view(const DNDarray& x, const std::vector<AxisSlice>& axes) {
  at::Tensor local = x.local();
  Shape shape = x.shape();
  std::vector<std::int64_t> counts = x.layout().counts();
  for (int axis = 0; axis < x.ndim(); ++axis) {
    AxisSlice slice = axes[at(axis)];
    if (slice == AxisSlice{0, 1, shape[at(axis)]}) continue;
    shape[at(axis)] = slice.count;
    if (axis == x.split()) {
      SplitSlice part = slice_counts(counts, slice);
      slice.start = part.starts[at(x.comm().rank())];
      slice.count = part.counts[at(x.comm().rank())];
      counts = std::move(part.counts);
    }
    local = local.slice(axis, slice.start, slice.start + slice.count * slice.step, slice.step);
  }
  if (shape == x.shape()) return x;
  Layout layout = x.layout().is_split() ? Layout::with_counts(std::move(shape), x.split(), std::move(counts))
                                        : Layout::replicated(std::move(shape), x.comm().size());
  return {std::move(local), share(std::move(layout)), x.comm_ptr()};
}

at::Tensor spread(const DNDarray& value, const Layout& region) {
  if (!region.is_split()) return resplit(value, kNoSplit).local();
  const int split = region.split();
  if (value.ndim() > 0 && value.shape()[at(split)] == region.gshape()[at(split)])
    return redistribute(value, share(region.with_shape(value.shape(), split))).local();
  return enter_partial(resplit(value, kNoSplit).local(), value.comm_ptr());
}

c10::List<std::optional<at::Tensor>> advanced_index(const std::vector<at::Tensor>& indices, int axis) {
  c10::List<std::optional<at::Tensor>> index;
  for (int i = 0; i < axis; ++i) index.push_back(std::nullopt);
  for (const at::Tensor& along : indices) index.push_back(along);
  return index;
}

bool elements_overlap(const at::Tensor& block) {
  if (block.is_contiguous()) return false;
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;
  for (std::int64_t axis = 0; axis < block.dim(); ++axis)
    axes.emplace_back(block.stride(axis), block.size(axis));
  std::sort(axes.begin(), axes.end());
  std::int64_t reach = 0;
  for (const auto& [step, extent] : axes) {
    if (extent > 1 && step <= reach) return true;
    reach += step * (extent - 1);
  }
  return false;
}

at::Tensor index_tensor(const std::vector<std::int64_t>& rows, const at::Tensor& like) {
  at::Tensor out =
      at::_ops::empty_memory_format::call({static_cast<std::int64_t>(rows.size())}, at::kLong, std::nullopt,
                                          std::nullopt, std::nullopt, std::nullopt);
  std::copy(rows.begin(), rows.end(), out.mutable_data_ptr<std::int64_t>());
  return out.to(like.device());
}

}  // namespace eh
