// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/add_ops.h>
#include <ATen/ops/cumprod_ops.h>
#include <ATen/ops/cumsum_ops.h>
#include <ATen/ops/mul_ops.h>
#include <ATen/ops/prod_ops.h>
#include <ATen/ops/sum_ops.h>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/reduce.hpp"
#include "ops/types.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

at::Tensor sum_along(const at::Tensor& x, std::int64_t axis, bool keepdims, at::ScalarType type) {
  return op::sum_dim_IntList::call(x, at::IntArrayRef(axis), keepdims, type);
}
at::Tensor plus(const at::Tensor& before, const at::Tensor& local) {
  return op::add_Tensor::call(before, local, 1);
}
at::Tensor times(const at::Tensor& before, const at::Tensor& local) {
  return op::mul_Tensor::call(before, local);
}
at::Tensor product_along(const at::Tensor& x, std::int64_t axis, bool keepdims, at::ScalarType type) {
  return op::prod_dim_int::call(x, axis, keepdims, type);
}
at::Tensor running_sum(const at::Tensor& x, std::int64_t axis, at::ScalarType type) {
  return op::cumsum::call(x, axis, type);
}
at::Tensor running_product(const at::Tensor& x, std::int64_t axis, at::ScalarType type) {
  return op::cumprod::call(x, axis, type);
}

constexpr Scan kScans[] = {
#define EH_SCAN(name, local, total, join, combine) {#name, local, total, join, ReduceOp::combine},
#include "ops/scan.def"
#undef EH_SCAN
};

/// The totals of all ranks before this one. A gradient needs every rank's total; without one an exscan does.
at::Tensor totals_before(const Scan& op, const at::Tensor& total, const CommPtr& comm) {
  if (!needs_grad(total)) return exscan(total, op.combine, *comm);
  const at::Tensor all = enter_partial(stack_partials(total, comm), comm);
  return op.total(all.narrow(0, 0, comm->rank()), 0, false, total.scalar_type());
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
  at::Tensor result = op.local(input, along, inside);
  if (along == x.split() && x.is_distributed()) {
    result = op.join(totals_before(op, op.total(input, along, true, inside), x.comm_ptr()), result);
  }
  return x.with_local(cast(result, type));
}

}  // namespace eh
