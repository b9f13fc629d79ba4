// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/add_ops.h>
#include <ATen/ops/cumprod_ops.h>
#include <ATen/ops/cumsum_ops.h>
#include <ATen/ops/mul_ops.h>
#include <ATen/ops/prod_ops.h>
#include <ATen/ops/sum_ops.h>
#include <ATen/ops/view_as_complex_ops.h>
#include <ATen/ops/view_as_real_ops.h>

#include <algorithm>
#include <string_view>

#include "array/autograd.hpp"
#include "array/parallel.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/running.hpp"
#include "ops/reduce.hpp"
#include "ops/types.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

at::Tensor sum_along(const at::Tensor& x, std::int64_t axis, bool keepdims, at::ScalarType type) {
  return op::sum_dim_IntList::call(x, at::IntArrayRef(axis), keepdims, type);
}
bool is_recorded(const at::Tensor& before, const at::Tensor& local) {
  return needs_grad(before) || needs_grad(local);
}
/// `local` is overwritten where no gradient needs it. By parts where complex: torch multiplies it with 1 + 0j, which
/// makes NaN of an infinite part.
at::Tensor plus(const at::Tensor& before, const at::Tensor& local) {
  if (!local.is_complex())
    return is_recorded(before, local) ? op::add_Tensor::call(local, before, 1) : local.add_(before);
  const at::Tensor sum =
      op::add_Tensor::call(op::view_as_real::call(before), op::view_as_real::call(local), 1);
  return op::view_as_complex::call(sum);
}
at::Tensor times(const at::Tensor& before, const at::Tensor& local) {
  return is_recorded(before, local) ? op::mul_Tensor::call(before, local) : local.mul_(before);
}
at::Tensor product_along(const at::Tensor& x, std::int64_t axis, bool keepdims, at::ScalarType type) {
  return op::prod_dim_int::call(x, axis, keepdims, type);
}
at::Tensor running_sum(const at::Tensor& x, std::int64_t axis, at::ScalarType type) {
  return op::cumsum::call(x, axis, type);
}
at::Tensor running_product(const at::Tensor& x, std::int64_t axis, at::ScalarType type) {
  // torch's gradient of an empty one does not depend on x: a rank without elements would leave out messages of the
  // gradient's gradient.
  if (x.numel() == 0) return op::mul_Tensor::call(x, x).to(type);
  return op::cumprod::call(x, axis, type);
}

constexpr Scan kScans[] = {
#define EH_SCAN(name, local, total, join, combine) {#name, local, total, join, ReduceOp::combine},
#include "ops/scan.def"
#undef EH_SCAN
};

bool has_kernel(const at::Tensor& x) {
  const at::ScalarType type = x.scalar_type();
  const bool known = type == at::kFloat || type == at::kDouble || type == at::kLong;
  return known && x.device().is_cpu() && x.is_contiguous() && !needs_grad(x);
}

template <typename T>
void run_kernel(const at::Tensor& x, const kernels::RunningExtents& e, kernels::Running kind,
                const at::Tensor& start, const at::Tensor& out) {
  const T* from = x.const_data_ptr<T>();
  const T* before = start.defined() ? start.const_data_ptr<T>() : nullptr;
  T* to = out.mutable_data_ptr<T>();
  const auto at_start = [=](std::int64_t at) { return before != nullptr ? before + at : nullptr; };
  if (e.outer > 1)  // blocks, else columns, in the threads there are
    return parallel_rows(e.outer, e.n * e.pitch, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t block = begin * e.n * e.pitch;
      kernels::running(from + block, {end - begin, e.n, e.inner, e.pitch}, kind, at_start(begin * e.pitch),
                       to + block);
    });
  parallel_rows(e.inner, e.n, [&](std::int64_t begin, std::int64_t end) {
    kernels::running(from + begin, {1, e.n, end - begin, e.pitch}, kind, at_start(begin), to + begin);
  });
}

/// Running totals of a block in one pass, from `start` (extent 1 along the axis) where it is defined.
/// @pre has_kernel(x)
at::Tensor totals_from(const Scan& op, const at::Tensor& x, std::int64_t axis, const at::Tensor& start) {
  kernels::RunningExtents e{1, x.size(axis), 1, 1};
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i < axis) e.outer *= x.size(i);
    if (i > axis) e.inner *= x.size(i);
  }
  e.pitch = e.inner;
  const bool sum = std::string_view(op.name) == "cumsum";
  const auto kind = sum ? kernels::Running::Sum : kernels::Running::Product;
  const at::Tensor before = start.defined() ? start.contiguous() : start;
  const at::Tensor out = x.new_empty(x.sizes());
  if (x.numel() == 0) return out;
  if (x.scalar_type() == at::kFloat)
    run_kernel<float>(x, e, kind, before, out);
  else if (x.scalar_type() == at::kDouble)
    run_kernel<double>(x, e, kind, before, out);
  else
    run_kernel<std::int64_t>(x, e, kind, before, out);
  return out;
}

/// Elements of all ranks' totals up to which every rank holds them.
constexpr std::int64_t kFew = 1 << 20;

/// The totals of all ranks before this one, joined in their order, so that running sums of what is not negative never
/// fall where a block ends; as a tree (exscan) where all of them would take much memory.
at::Tensor totals_before(const Scan& op, const at::Tensor& total, const CommPtr& comm) {
  const bool recorded = needs_grad(total);
  if (!recorded && total.numel() * comm->size() > kFew) return exscan(total, op.combine, *comm);
  const at::Tensor stacked = stack_partials(total, comm);
  const at::Tensor all = recorded ? enter_partial(stacked, comm) : stacked;
  at::Tensor before = op.total(all.narrow(0, 0, std::min(comm->rank(), 1)), 0, false, total.scalar_type());
  for (int rank = 1; rank < comm->rank(); ++rank) before = op.join(before, all.select(0, rank));
  return before;
}

/// The C-order flattening: split 0 if x is split, by way of a resplit where the split is not the first axis.
DNDarray flattened(const DNDarray& x) {
  const DNDarray rows = x.layout().is_split() ? (x.split() == 0 ? x : resplit(x, 0)) : x;
  Shape shape = {x.layout().size()};
  if (!rows.layout().is_split()) {
    return {rows.local().reshape({-1}), share(Layout::replicated(std::move(shape), x.layout().nranks())),
            x.comm_ptr()};
  }
  const std::int64_t row = x.shape()[0] > 0 ? shape[0] / x.shape()[0] : 0;
  std::vector<std::int64_t> counts = rows.layout().counts();
  for (std::int64_t& count : counts) count *= row;
  return {rows.local().reshape({-1}), share(Layout::with_counts(std::move(shape), 0, std::move(counts))),
          x.comm_ptr()};
}

/// int64 for bool and integers, but uint64 for uint64.
at::ScalarType total_type(at::ScalarType given) {
  return at::isIntegralType(given, true) && given != at::ScalarType::UInt64 ? at::ScalarType::Long : given;
}

}  // namespace

std::span<const Scan> scans() { return kScans; }

DNDarray scan(const Scan& op, const DNDarray& x, std::optional<int> axis, MaybeType dtype) {
  if (!axis && x.ndim() != 1) return scan(op, flattened(x), 0, dtype);
  if (x.ndim() == 0) return scan(op, flattened(x), axis, dtype);
  const int along = normalize_axis(axis.value_or(0), x.ndim(), op.name);
  const at::ScalarType given = x.local().scalar_type();
  const at::ScalarType type = dtype.value_or(total_type(given));
  const at::ScalarType inside = detail::accumulation_type(kernel_type(type));
  const at::Tensor input = cast(x.local(), inside);
  const bool spread = along == x.split() && x.is_distributed();
  if (spread && at::isIntegralType(inside, true)) {  // exact, so that the pass can begin at what is before it
    const at::Tensor before = exscan(op.total(input, along, true, inside), op.combine, x.comm());
    const at::Tensor local = has_kernel(input) ? totals_from(op, input, along, before)
                                               : op.join(before, op.local(input, along, inside));
    return x.with_local(cast(local, type));
  }
  const at::Tensor local =
      has_kernel(input) ? totals_from(op, input, along, {}) : op.local(input, along, inside);
  if (!spread) return x.with_local(cast(local, type));
  const std::int64_t n = local.size(along);
  const at::Tensor total =
      n > 0 ? local.narrow(along, n - 1, 1).clone() : op.total(input, along, true, inside);
  return x.with_local(cast(op.join(totals_before(op, total, x.comm_ptr()), local), type));
}

}  // namespace eh
