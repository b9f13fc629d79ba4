// SPDX-License-Identifier: BSD-3-Clause
#include "ops/block_moments.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <numeric>

#include "array/autograd.hpp"
#include "array/tensor_comm.hpp"
#include "ops/reduce.hpp"

namespace eh {
namespace {

using Dims = std::vector<std::int64_t>;

/// The axes, outermost in memory first.
Dims memory_order(const at::Tensor& x) {
  Dims order(static_cast<std::size_t>(x.dim()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return x.stride(a) > x.stride(b); });
  return order;
}

/// True if the reduced axes follow each other, axes of extent 1 aside.
bool adjacent(const at::Tensor& x, const Dims& order, const Dims& dims) {
  int changes = 0;
  bool inside = false;
  for (std::int64_t axis : order) {
    if (x.size(axis) == 1) continue;
    const bool reduced = std::find(dims.begin(), dims.end(), axis) != dims.end();
    changes += reduced && !inside ? 1 : 0;
    inside = reduced;
  }
  return changes <= 1;
}

/// An order of the axes in which the reduced ones follow each other, with little copying.
Dims reducible_order(const at::Tensor& x, const Dims& dims) {
  Dims order = memory_order(x);
  if (adjacent(x, order, dims)) return order;
  std::stable_partition(order.begin(), order.end(), [&](std::int64_t axis) {
    return std::find(dims.begin(), dims.end(), axis) == dims.end();
  });
  return order;
}

/// What the kernel sees: (outer, n, inner).
struct BlockExtents {
  std::int64_t outer = 1;
  std::int64_t n = 1;
  std::int64_t inner = 1;
};

BlockExtents extents_of(const at::Tensor& x, const Dims& order, const Dims& dims) {
  BlockExtents e;
  bool behind = false;
  for (std::int64_t axis : order) {
    const std::int64_t size = x.size(axis);
    if (std::find(dims.begin(), dims.end(), axis) != dims.end()) {
      e.n *= size;
      behind = behind || size != 1;
    } else {
      (behind ? e.inner : e.outer) *= size;
    }
  }
  return e;
}

Dims inverse_of(const Dims& order) {
  Dims inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return inverse;
}

void run(const at::Tensor& x, const BlockExtents& e, MomentOrder order, double* target) {
  if (x.scalar_type() == at::kFloat)
    kernels::moments(x.const_data_ptr<float>(), e.outer, e.n, e.inner, order, target);
  else
    kernels::moments(x.const_data_ptr<double>(), e.outer, e.n, e.inner, order, target);
}

}  // namespace

bool has_moment_kernel(const at::Tensor& x) {
  const bool real = x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble;
  return real && x.device().is_cpu() && !needs_grad(x);
}

at::Tensor block_moments(const at::Tensor& x, const Dims& dims, MomentOrder order) {
  const Dims axes = reducible_order(x, dims);
  const at::Tensor data = x.detach().permute(axes).contiguous();
  Dims shape = {static_cast<std::int64_t>(order)};
  for (std::int64_t axis : axes) {
    shape.push_back(std::find(dims.begin(), dims.end(), axis) != dims.end() ? 1 : x.size(axis));
  }
  const at::Tensor out = data.new_empty(shape, at::kDouble);
  run(data, extents_of(x, axes, dims), order, out.mutable_data_ptr<double>());
  Dims back = {0};
  for (std::int64_t axis : inverse_of(axes)) back.push_back(axis + 1);
  return out.permute(back);
}

at::Tensor global_moments(const DNDarray& x, const at::Tensor& local, const std::vector<int>& axes,
                          MomentOrder order) {
  const at::Tensor own = block_moments(local, detail::dims_of(axes), order);
  if (!detail::crosses_ranks(x, axes)) return own;
  const std::int64_t rows = x.shape()[static_cast<std::size_t>(x.split())];
  const std::int64_t row = rows == 0 ? 0 : detail::extent_of(x.shape(), axes) / rows;
  std::vector<std::int64_t> counts = x.layout().counts();
  for (std::int64_t& count : counts) count *= row;
  const at::Tensor all = stack_partials(own.contiguous(), x.comm_ptr());
  const at::Tensor out = own.new_empty(own.sizes());
  kernels::merge_moments(all.const_data_ptr<double>(), counts.data(), x.comm().size(),
                         own.numel() / static_cast<std::int64_t>(order), order,
                         out.mutable_data_ptr<double>());
  return out;
}

double total_deviations(const DNDarray& x, const at::Tensor& local) {
  const at::Tensor data =
      (local.is_contiguous() ? local : local.permute(memory_order(local))).detach().contiguous();
  double own[2];
  run(data, {1, data.numel(), 1}, MomentOrder::Variance, own);
  if (!x.is_distributed()) return own[1];
  std::vector<double> all(2 * static_cast<std::size_t>(x.comm().size()));
  x.comm().allgather({own, 2, DType::Float64},
                     {all.data(), static_cast<std::int64_t>(all.size()), DType::Float64});
  const std::int64_t rows = x.shape()[static_cast<std::size_t>(x.split())];
  std::vector<std::int64_t> counts = x.layout().counts();
  for (std::int64_t& count : counts) count *= rows == 0 ? 0 : x.layout().size() / rows;
  double merged[2];
  kernels::merge_moments(all.data(), counts.data(), x.comm().size(), 1, MomentOrder::Variance, merged);
  return merged[1];
}

}  // namespace eh
