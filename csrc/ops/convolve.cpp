// SPDX-License-Identifier: BSD-3-Clause
#include "ops/convolve.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd_ops.h>
#include <ATen/ops/flip_ops.h>
#include <ATen/ops/slice_ops.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/convolution.hpp"
#include "array/redistribute.hpp"

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

/// A window onto an axis that every rank has whole.
at::Tensor local_window(const at::Tensor& x, int axis, const Window& window, const Convolution& spec) {
  const std::int64_t n = x.size(axis);
  if (spec.boundary == Boundary::Fill) {
    const std::int64_t before = std::max<std::int64_t>(-window.begin, 0);
    const std::int64_t behind = std::max<std::int64_t>(window.end - n, 0);
    std::vector<c10::SymInt> padding(static_cast<std::size_t>(2 * (x.dim() - axis)), 0);
    padding[padding.size() - 2] = before;
    padding.back() = behind;
    const at::Tensor padded = before + behind == 0 ? x : op::constant_pad_nd::call(x, padding, spec.fill);
    return padded.narrow(axis, window.begin + before, window.end - window.begin);
  }
  const at::Tensor index = x.new_empty({window.end - window.begin},
                                       x.options().dtype(at::kLong).device(at::kCPU).requires_grad(false));
  auto* target = index.mutable_data_ptr<std::int64_t>();
  for (std::int64_t at = window.begin; at < window.end; ++at) *target++ = row_at(at, n, spec.boundary);
  return x.index_select(axis, index.to(x.device()));
}

/// This rank's window onto the split axis.
at::Tensor moved_window(const DNDarray& a, const std::vector<Window>& windows, const Convolution& spec) {
  const RowPlan plan = plan_windows(a.layout().counts(), windows, spec.boundary);
  const at::Tensor rows = move_rows(a.local(), a.split(), plan.from, plan.to, plan.moves, a.comm_ptr());
  if (spec.boundary != Boundary::Fill || spec.fill == 0) return rows;
  const Window own = windows[static_cast<std::size_t>(a.comm().rank())];
  const std::int64_t n = a.shape()[static_cast<std::size_t>(a.split())];
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rows.dim()), 1);
  shape[static_cast<std::size_t>(a.split())] = own.end - own.begin;
  at::Tensor beyond = rows.new_zeros({own.end - own.begin});
  const std::int64_t before = std::clamp<std::int64_t>(-own.begin, 0, own.end - own.begin);
  const std::int64_t behind = std::clamp<std::int64_t>(own.end - n, 0, own.end - own.begin);
  beyond.narrow(0, 0, before).fill_(spec.fill);
  beyond.narrow(0, own.end - own.begin - behind, behind).fill_(spec.fill);
  return rows.add(beyond.view(shape));
}

/// (batch, height, width) of a local tensor whose last `axes` axes are convolved.
at::Tensor as_planes(const at::Tensor& x, int axes) {
  const std::int64_t batch = x.dim() == axes ? 1 : -1;
  const std::int64_t height = axes == 2 ? x.size(-2) : 1;
  if (batch == 1 || x.numel() > 0) return x.reshape({batch, height, x.size(-1)});
  std::int64_t items = 1;
  for (std::int64_t i = 0; i < x.dim() - axes; ++i) items *= x.size(i);
  return x.reshape({items, height, x.size(-1)});
}

/// A block of the kernel, whole on this rank, and where it begins along the split convolved axis.
struct KernelBlock {
  at::Tensor values;
  std::int64_t begin;
};

/// The block's share of the result.
at::Tensor convolved(const DNDarray& a, const KernelBlock& kernel, const Plan& plan, const Layout& target) {
  const int rank = a.comm().rank();
  at::Tensor x = a.local();
  bool empty = false;
  for (int k = 0; k < plan.axes(); ++k) {
    const int axis = plan.first + k;
    const std::int64_t extent = kernel.values.size(kernel.values.dim() - plan.axes() + k);
    const ConvolutionAxis along = plan.along(k, extent);
    if (axis != a.split() || !a.is_distributed()) {
      const std::int64_t length = plan.spec.lengths[static_cast<std::size_t>(k)];
      x = local_window(x, axis, along.window(0, length, 0, extent), plan.spec);
      continue;
    }
    std::vector<Window> windows;
    for (int r = 0; r < a.comm().size(); ++r) {
      const std::int64_t begin = target.offset(r);
      windows.push_back(along.window(begin, begin + target.count(r), kernel.begin, kernel.begin + extent));
    }
    x = moved_window(a.with_local(x), windows, plan.spec);
    empty = target.count(rank) == 0;
  }
  const Shape shape = target.lshape(rank);
  const at::Tensor reversed = op::flip::call(as_planes(kernel.values, plan.axes()), {1, 2});
  if (empty) return x.new_zeros(sizes(shape)).add(x.sum().mul(reversed.sum()).mul(0));  // stays in the graph
  at::Tensor y = correlate_valid(as_planes(x, plan.axes()), reversed);
  for (int k = 0; k < plan.axes(); ++k) {
    const std::int64_t stride = plan.spec.stride[static_cast<std::size_t>(k)];
    const std::int64_t axis = 3 - plan.axes() + k;
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
