// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/sorting.hpp"
#include "ops/selection.hpp"
#include "ops/sorting.hpp"

namespace eh {
namespace {

struct Top {
  at::Tensor values;
  at::Tensor indices;
};

/// Of every line of a block, at most k.
Top top_of_block(const at::Tensor& local, std::int64_t k, int axis, bool largest) {
  const at::Tensor lines = detail::to_lines(local, axis);
  k = std::min(k, lines.size(1));
  const at::Tensor values = lines.new_empty({lines.size(0), k});
  const at::Tensor order = lines.new_empty({lines.size(0), k}, at::kLong);
  kernels::top_lines(dtype_of(lines.scalar_type()), lines.const_data_ptr(), values.mutable_data_ptr(),
                     order.mutable_data_ptr<std::int64_t>(), lines.size(0), lines.size(1), k, largest);
  const at::Tensor indices = detail::from_lines(order, local, axis);
  if (needs_grad(local)) return {local.gather(axis, indices), indices};
  return {detail::from_lines(values, local, axis), indices};
}

/// Candidates of all ranks, replicated.
std::pair<DNDarray, DNDarray> candidates(const DNDarray& x, std::int64_t k, int axis, bool largest) {
  const Top own = top_of_block(x.local(), k, axis, largest);
  Counts counts;
  for (std::int64_t count : x.layout().counts()) counts.push_back(std::min(k, count));
  Shape shape = x.shape();
  shape[at(axis)] = offsets_of(counts).back();
  const LayoutPtr layout = share(Layout::with_counts(std::move(shape), axis, counts));
  const at::Tensor global = own.indices.add(x.layout().offset(x.comm().rank()));
  return {resplit({own.values, layout, x.comm_ptr()}, kNoSplit),
          resplit({global, layout, x.comm_ptr()}, kNoSplit)};
}

std::pair<DNDarray, DNDarray> top_of_candidates(const DNDarray& x, std::int64_t k, int axis, bool largest) {
  const auto [values, indices] = candidates(x, k, axis, largest);
  const Top best = top_of_block(values.local(), k, axis, largest);
  const LayoutPtr layout = share(Layout::replicated(shape_of(best.values), x.comm().size()));
  const auto split = [&](const at::Tensor& t) { return resplit({t, layout, x.comm_ptr()}, axis); };
  return {split(best.values), split(indices.local().gather(axis, best.indices))};
}

std::pair<DNDarray, DNDarray> first_of_sorted(const DNDarray& x, std::int64_t k, int axis, bool largest) {
  const Sorted sorted = sort(x, axis, largest, true, true);
  std::vector<AxisSlice> slices;
  for (std::int64_t extent : x.shape()) slices.push_back({0, 1, extent});
  slices[at(axis)].count = k;
  return {balance(slice_view(*sorted.values, slices)), balance(slice_view(*sorted.indices, slices))};
}

}  // namespace

std::pair<DNDarray, DNDarray> topk(const DNDarray& x, std::int64_t k, int axis, bool largest) {
  EH_CHECK(x.ndim() > 0, ValueError, "topk: a 0-d array has no axis; reshape it to (1,) first");
  axis = normalize_axis(axis, x.ndim(), "topk");
  const std::int64_t extent = x.shape()[at(axis)];
  EH_CHECK(k >= 0 && k <= extent, ValueError, "topk: k is ", k, ", must be between 0 and ", extent,
           ", the extent of axis ", axis);
  if (detail::crosses_ranks(x, axis)) {
    constexpr std::int64_t kFew = 1024;
    const bool few = k * x.comm().size() <= std::max(kFew, extent / x.comm().size());
    return few ? top_of_candidates(x, k, axis, largest) : first_of_sorted(x, k, axis, largest);
  }
  const Top best = top_of_block(x.local(), k, axis, largest);
  Shape shape = x.shape();
  shape[at(axis)] = k;
  Layout layout = x.layout().is_split() && x.split() != axis
                      ? x.layout().with_shape(std::move(shape), x.split())
                      : Layout::balanced(std::move(shape), x.split(), x.comm().size());
  const LayoutPtr shared = share(std::move(layout));
  return {{best.values, shared, x.comm_ptr()}, {best.indices, shared, x.comm_ptr()}};
}

}  // namespace eh
