// SPDX-License-Identifier: BSD-3-Clause
#include "ops/convolve.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/flip_ops.h>
#include <ATen/ops/slice_ops.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/convolution.hpp"
#include "array/redistribute.hpp"
#include "array/windows.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

/// A kernel of at most this many elements is gathered wherever it is split.
constexpr std::int64_t kSmallKernel = 1 << 16;

/// The problem as it looks along the axes: `first` is the first convolved axis of a.
struct Plan {
  const Convolution& spec;
  int first;
  int axes() const { return static_cast<int>(spec.offset.size()); }
  ConvolutionAxis along(int k, std::int64_t kernel) const {
    const auto i = static_cast<std::size_t>(k);
    return {kernel, spec.offset[i], spec.stride[i]};
  }
};

Shape result_shape(const DNDarray& a, const Plan& plan) {
  Shape shape = a.shape();
  std::copy(plan.spec.lengths.begin(), plan.spec.lengths.end(), shape.begin() + plan.first);
  return shape;
}

LayoutPtr result_layout(const DNDarray& a, const Plan& plan) {
  Shape shape = result_shape(a, plan);
  if (!a.layout().is_split()) return share(Layout::replicated(std::move(shape), a.layout().nranks()));
  const auto split = static_cast<std::size_t>(a.split());
  if (shape[split] == a.shape()[split]) return share(a.layout().with_shape(std::move(shape), a.split()));
  return share(Layout::balanced(std::move(shape), a.split(), a.layout().nranks()));
}

std::int64_t product(const at::Tensor& x, std::int64_t begin, std::int64_t end) {
  std::int64_t n = 1;
  for (std::int64_t i = begin; i < end; ++i) n *= x.size(i);
  return n;
}

/// (batch, depth, height, width) of a local tensor whose last `axes` axes are convolved.
at::Tensor as_volumes(const at::Tensor& x, int axes) {
  const std::int64_t batch = product(x, 0, x.dim() - axes);
  const std::int64_t depth = axes == 3 ? x.size(-3) : 1;
  const std::int64_t height = axes >= 2 ? x.size(-2) : 1;
  return x.reshape({batch, depth, height, x.size(-1)});
}

/// Places at which v lies within x, both (batch, depth, height, width): correlations of planes, added up over the depth
/// of v.
at::Tensor correlate_volumes(const at::Tensor& x, const at::Tensor& v) {
  if (x.size(1) == 1) return correlate_valid(x.select(1, 0), v.select(1, 0)).unsqueeze(1);
  const std::int64_t depth = x.size(1) - v.size(1) + 1;
  const bool shared = v.size(0) == 1;
  at::Tensor sum;
  for (std::int64_t p = 0; p < v.size(1); ++p) {
    const at::Tensor planes = x.narrow(1, p, depth).reshape({x.size(0) * depth, x.size(2), x.size(3)});
    at::Tensor factor = v.select(1, p);
    if (!shared) factor = factor.unsqueeze(1).expand({x.size(0), depth, v.size(2), v.size(3)});
    if (!shared) factor = factor.reshape({x.size(0) * depth, v.size(2), v.size(3)});
    const at::Tensor part = correlate_valid(planes, factor);
    sum = sum.defined() ? sum.add(part) : part;
  }
  return sum.reshape({x.size(0), depth, sum.size(1), sum.size(2)});
}

/// A block of the kernel, whole on this rank, and where it begins along the split convolved axis.
struct KernelBlock {
  at::Tensor values;
  std::int64_t begin;
};

/// The block's share of the result.
at::Tensor convolved(const DNDarray& a, const KernelBlock& kernel, const Plan& plan, const Layout& target) {
  const int rank = a.comm().rank();
  const Beyond beyond = {plan.spec.boundary, plan.spec.fill};
  at::Tensor x = a.local();
  bool empty = false;
  for (int k = 0; k < plan.axes(); ++k) {
    const int axis = plan.first + k;
    const std::int64_t extent = kernel.values.size(kernel.values.dim() - plan.axes() + k);
    const ConvolutionAxis along = plan.along(k, extent);
    if (axis != a.split() || !a.is_distributed()) {
      const std::int64_t length = plan.spec.lengths[static_cast<std::size_t>(k)];
      x = local_window(x, axis, along.window(0, length, 0, extent), beyond);
      continue;
    }
    std::vector<Window> windows;
    for (int r = 0; r < a.comm().size(); ++r) {
      const std::int64_t begin = target.offset(r);
      windows.push_back(along.window(begin, begin + target.count(r), kernel.begin, kernel.begin + extent));
    }
    x = window_of(a.with_local(x), axis, windows, beyond);
    empty = target.count(rank) == 0;
  }
  const Shape shape = target.lshape(rank);
  const at::Tensor reversed = op::flip::call(as_volumes(kernel.values, plan.axes()), {1, 2, 3});
  if (empty) return x.new_zeros(sizes(shape)).add(x.sum().mul(reversed.sum()).mul(0));  // stays in the graph
  at::Tensor y = correlate_volumes(as_volumes(x, plan.axes()), reversed);
  for (int k = 0; k < plan.axes(); ++k) {
    const std::int64_t stride = plan.spec.stride[static_cast<std::size_t>(k)];
    const std::int64_t axis = 4 - plan.axes() + k;
    if (stride != 1) y = op::slice_Tensor::call(y, axis, 0, std::nullopt, stride);
  }
  return y.reshape(sizes(shape));
}

/// The block of the kernel that `rank` owns, on every rank.
at::Tensor spread(const DNDarray& v, int rank) {
  Shape shape = v.shape();
  const int split = v.split();
  const std::int64_t count = v.layout().count(rank);
  shape[static_cast<std::size_t>(split)] = count;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(v.comm().size()), 0);
  counts[static_cast<std::size_t>(rank)] = count;
  const at::Tensor own = v.comm().rank() == rank ? v.local() : v.local().narrow(split, 0, 0);
  const LayoutPtr from = share(Layout::with_counts(shape, split, counts));
  const LayoutPtr to = share(Layout::replicated(shape, v.comm().size()));
  return redistribute_local(own, from, to, v.comm_ptr());
}

/// The kernel as a's blocks need it: cut like a's batch axis, or whole.
DNDarray placed_kernel(const DNDarray& a, const DNDarray& v, const Plan& plan) {
  const bool batched = v.ndim() > plan.axes();
  if (batched && a.layout().is_split() && a.split() < plan.first) {
    return redistribute(v, share(a.layout().with_shape(v.shape(), a.split())));
  }
  return resplit(v, kNoSplit);
}

/// True if the kernel is too long for every rank to hold it, and lies along the split axis of a.
bool in_blocks(const DNDarray& a, const DNDarray& v, const Plan& plan) {
  if (!v.is_distributed() || !a.is_distributed() || plan.axes() != 1 || v.ndim() != 1) return false;
  if (a.split() != plan.first) return false;
  return v.layout().size() > std::max(kSmallKernel, a.layout().size() / a.comm().size());
}

}  // namespace

DNDarray convolve(const DNDarray& a, const DNDarray& v, const Convolution& spec) {
  const Plan plan = {spec, a.ndim() - static_cast<int>(spec.offset.size())};
  const LayoutPtr target = result_layout(a, plan);
  const CommPtr& comm = a.comm_ptr();
  if (!in_blocks(a, v, plan)) {
    const DNDarray kernel = placed_kernel(a, v, plan);
    const bool beside_blocks = a.is_distributed() && !kernel.layout().is_split();
    const at::Tensor values = beside_blocks ? enter_partial(kernel.local(), comm) : kernel.local();
    return {convolved(a, {values, 0}, plan, *target), target, comm};
  }
  at::Tensor sum;
  for (int rank = 0; rank < comm->size(); ++rank) {
    if (v.layout().count(rank) == 0) continue;
    const KernelBlock block = {enter_partial(spread(v, rank), comm), v.layout().offset(rank)};
    const at::Tensor part = convolved(a, block, plan, *target);
    sum = sum.defined() ? sum.add(part) : part;
  }
  return {sum, target, comm};
}

}  // namespace eh
