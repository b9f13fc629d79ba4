// SPDX-License-Identifier: BSD-3-Clause
#include "ops/stacks.hpp"

#include <ATen/core/Tensor.h>

#include "array/redistribute.hpp"

namespace eh {
namespace {

std::int64_t extent(const Shape& shape, int axis) { return shape[static_cast<std::size_t>(axis)]; }

/// The batch axis of the result that x is split along; -1 if it is not, or is broadcast there.
int batch_label(const DNDarray& x, const Shape& out) {
  if (!x.layout().is_split() || x.split() >= x.ndim() - 2) return -1;
  const int axis = x.split() + static_cast<int>(out.size()) - x.ndim();
  return extent(x.shape(), x.split()) == extent(out, axis) ? axis : -1;
}

/// x split along axis `axis` of the result where it runs along it, else replicated.
at::Tensor join(const DNDarray& x, const Layout& out) {
  const int axis = out.is_split() ? out.split() - (out.ndim() - x.ndim()) : -1;
  if (axis < 0 || extent(x.shape(), axis) != extent(out.gshape(), out.split())) {
    return resplit(x, kNoSplit).local();
  }
  return redistribute(x, share(Layout::with_counts(x.shape(), axis, out.counts()))).local();
}

}  // namespace

bool is_split_within(const DNDarray& x) { return x.is_distributed() && x.split() >= x.ndim() - 2; }

DNDarray whole_matrices(const DNDarray& x) {
  if (!is_split_within(x)) return x;
  return resplit(x, x.ndim() > 2 ? 0 : kNoSplit);
}

bool is_large_matrix(const DNDarray& x, std::int64_t small) {
  return x.ndim() == 2 && is_split_within(x) && x.layout().size() > small;
}

Stacks align_stacks(const DNDarray& a, const DNDarray& b, const char* fn) {
  Shape shape = broadcast_shapes({a.shape().begin(), a.shape().end() - 2},
                                 {b.shape().begin(), b.shape().end() - 2}, fn);
  shape.insert(shape.end(), b.shape().end() - 2, b.shape().end());
  const int nranks = a.comm().size();
  for (const DNDarray* lead : {&a, &b}) {
    const int axis = batch_label(*lead, shape);
    if (axis < 0) continue;
    const LayoutPtr layout = share(Layout::with_counts(shape, axis, lead->layout().counts()));
    return {join(a, *layout), join(b, *layout), layout};
  }
  const bool spread = shape.size() > 2 && (a.is_distributed() || b.is_distributed());
  const LayoutPtr layout = share(Layout::balanced(shape, spread ? 0 : kNoSplit, nranks));
  return {join(a, *layout), join(b, *layout), layout};
}

}  // namespace eh
