// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "layout/reflow.hpp"
#include "ops/manipulation.hpp"

namespace eh {
namespace {

/// The result's split: the one asked for, else the input's number cut to the new axes.
int result_split(const DNDarray& x, const Shape& shape, std::optional<int> split) {
  const int ndim = static_cast<int>(shape.size());
  if (!split) return ndim == 0 ? kNoSplit : std::min(x.split(), ndim - 1);
  return *split == kNoSplit ? kNoSplit : normalize_axis(*split, ndim, "reshape");
}

/// Same memory under another shape. For arrays of which every rank holds all elements, or none has any.
DNDarray relabel(const DNDarray& x, Layout layout) {
  at::Tensor local = x.local().reshape(sizes(layout.lshape(x.comm().rank())));
  return {std::move(local), share(std::move(layout)), x.comm_ptr()};
}

DNDarray reshape_split(const DNDarray& x, const Shape& shape, int split) {
  const ReshapePlan plan = plan_reshape(x.layout(), shape, split);
  const auto me = static_cast<std::size_t>(x.comm().rank());
  const DNDarray source = redistribute(x, share(plan.source));
  at::Tensor local = source.local();
  if (!plan.moves.empty()) {
    local = local.reshape({plan.before, plan.from[me], plan.behind});
    local = move_rows(local, 1, plan.from, plan.to, plan.moves, x.comm_ptr());
  }
  return {local.reshape(sizes(plan.target.lshape(x.comm().rank()))), share(plan.target), x.comm_ptr()};
}

DNDarray reshape_to(const DNDarray& x, const Shape& shape, int split) {
  const int nranks = x.comm().size();
  if (x.layout().size() == 0 || (nranks == 1 && x.layout().is_split()))
    return relabel(x, Layout::balanced(shape, split, nranks));
  if (!x.layout().is_split() || shape.empty())
    return relabel(resplit(x, kNoSplit), Layout::replicated(shape, nranks));
  return reshape_split(x, shape, split);
}

}  // namespace

DNDarray reshape(const DNDarray& x, const Shape& asked, std::optional<int> split) {
  const Shape shape = complete_shape(asked, x.layout().size());
  const int axis = result_split(x, shape, split);
  const DNDarray out = reshape_to(x, shape, axis);
  if (out.split() == axis) return out;
  return x.layout().is_split() ? resplit(out, axis) : resplit_copy(out, axis);
}

}  // namespace eh
