// SPDX-License-Identifier: BSD-3-Clause
#include "ops/reduce.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/all_ops.h>
#include <ATen/ops/amax_ops.h>
#include <ATen/ops/amin_ops.h>
#include <ATen/ops/any_ops.h>
#include <ATen/ops/bitwise_not_ops.h>
#include <ATen/ops/prod_ops.h>
#include <ATen/ops/sum_ops.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "array/autograd.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/column_folds.hpp"
#include "ops/types.hpp"

namespace eh {
namespace {

namespace op = at::_ops;
using Dims = at::OptionalIntArrayRef;

at::Tensor truth(const at::Tensor& x) { return x.is_complex() ? x.ne(0) : x.to(at::kBool); }
at::Tensor without_nan(const at::Tensor& x, double filling) {
  return at::isIntegralType(x.scalar_type(), true) ? x : x.masked_fill(x.ne(x), filling);
}

at::Tensor sum_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType type) {
  if (auto folded = fold_columns(ColumnFold::Sum, x, dims, keepdims, type)) return *std::move(folded);
  return op::sum_dim_IntList::call(x, dims, keepdims, type);
}

// torch multiplies along one axis a call.
at::Tensor product_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType type) {
  if (!dims && !keepdims) return op::prod::call(x, type);
  at::Tensor result = cast(x, type);
  for (std::int64_t i = x.dim() - 1; i >= 0; --i) {
    const bool reduced = !dims || std::find(dims->begin(), dims->end(), i) != dims->end();
    if (reduced) result = op::prod_dim_int::call(result, i, keepdims, type);
  }
  return result;
}

at::Tensor least_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType type) {
  if (auto folded = fold_columns(ColumnFold::Min, x, dims, keepdims, type)) return *std::move(folded);
  // torch's smallest of 64-bit integers takes ten times as long as its largest; ~ reverses the order.
  if (type == at::ScalarType::Long) {
    const at::Tensor reversed = op::bitwise_not::call(cast(x, type));
    return op::bitwise_not::call(op::amax::call(reversed, dims.value_or(at::IntArrayRef{}), keepdims));
  }
  return op::amin::call(cast(x, type), dims.value_or(at::IntArrayRef{}), keepdims);
}
at::Tensor greatest_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType type) {
  if (auto folded = fold_columns(ColumnFold::Max, x, dims, keepdims, type)) return *std::move(folded);
  return op::amax::call(cast(x, type), dims.value_or(at::IntArrayRef{}), keepdims);
}
// torch's extremes of bytes take a fifth to a fortieth of the time of its any and all.
at::Tensor any_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType) {
  const at::Tensor t = truth(x);
  if (t.numel() == 0) return op::any_dims::call(t, dims, keepdims);
  return greatest_over(t.view(at::kByte), dims, keepdims, at::kByte).view(at::kBool);
}
at::Tensor all_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType) {
  const at::Tensor t = truth(x);
  if (t.numel() == 0) return op::all_dims::call(t, dims, keepdims);
  return least_over(t.view(at::kByte), dims, keepdims, at::kByte).view(at::kBool);
}
at::Tensor nansum_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType type) {
  return sum_over(without_nan(x, 0), dims, keepdims, type);
}
at::Tensor nanprod_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType type) {
  return product_over(without_nan(x, 1), dims, keepdims, type);
}
at::Tensor count_over(const at::Tensor& x, Dims dims, bool keepdims, at::ScalarType type) {
  return sum_over(truth(x), dims, keepdims, type);
}

constexpr Reduction kReductions[] = {
#define EH_REDUCE(name, local, combine, gather, kinds, needs_elements) \
  {#name, local, ReduceOp::combine, Gather::gather, Kinds(kinds), needs_elements},
#include "ops/reduce.def"
#undef EH_REDUCE
};

at::ScalarType result_type(const Reduction& op, at::ScalarType given) {
  switch (op.gather) {
    case Gather::Wide:
      return at::isIntegralType(given, true) && given != at::ScalarType::UInt64 ? at::ScalarType::Long
                                                                                : given;
    case Gather::Same:
      return given;
    case Gather::Bool:
      return at::ScalarType::Bool;
    case Gather::Count:
      return at::ScalarType::Long;
  }
  return given;
}

at::Scalar lowest(at::ScalarType type) {
  if (at::isFloatingType(type)) return -std::numeric_limits<double>::infinity();
  if (type == at::ScalarType::Char) return std::numeric_limits<std::int8_t>::min();
  if (type == at::ScalarType::Short) return std::numeric_limits<std::int16_t>::min();
  if (type == at::ScalarType::Int) return std::numeric_limits<std::int32_t>::min();
  if (type == at::ScalarType::Long) return std::numeric_limits<std::int64_t>::min();
  return 0;
}

at::Scalar highest(at::ScalarType type) {
  if (at::isFloatingType(type)) return std::numeric_limits<double>::infinity();
  if (type == at::ScalarType::Bool) return true;
  if (type == at::ScalarType::Byte) return std::numeric_limits<std::uint8_t>::max();
  if (type == at::ScalarType::Char) return std::numeric_limits<std::int8_t>::max();
  if (type == at::ScalarType::Short) return std::numeric_limits<std::int16_t>::max();
  if (type == at::ScalarType::Int) return std::numeric_limits<std::int32_t>::max();
  return std::numeric_limits<std::int64_t>::max();
}

/// What a rank without elements brings to an extreme. The empty sum ties it to the graph of its input, so that
/// the backward pass sends the same messages on all ranks.
at::Tensor extreme_of_nothing(const Reduction& op, const at::Tensor& x, Dims dims, bool keepdims,
                              at::ScalarType type) {
  const at::Scalar identity = op.combine == ReduceOp::Max ? lowest(type) : highest(type);
  const at::Tensor zeros = sum_over(x, dims, keepdims, type == at::kBool ? at::kLong : type);
  return cast(zeros.detach(), type)
      .fill_(identity)
      .add(needs_grad(zeros) ? zeros : zeros.new_zeros({}, type));
}

at::Tensor combined(const Reduction& op, const at::Tensor& partial, const CommPtr& comm) {
  switch (op.combine) {
    case ReduceOp::Sum:
      return sum_partials(partial, comm);
    case ReduceOp::Min:
    case ReduceOp::Max:
      return extreme_partials(partial, op.combine, comm);
    case ReduceOp::Prod:
      if (needs_grad(partial))
        return op::prod_dim_int::call(stack_partials(partial, comm), 0, false, std::nullopt);
      return allreduce(partial, op.combine, *comm);
    default:
      return allreduce(partial, op.combine, *comm);
  }
}

/// The layout of a 0-d result, which every full reduction shares.
LayoutPtr scalar_layout(int nranks) {
  thread_local LayoutPtr last;
  if (last == nullptr || last->nranks() != nranks) last = share(Layout::replicated({}, nranks));
  return last;
}

void check_elements(const Reduction& op, const DNDarray& x, const std::vector<int>& axes) {
  if (!op.needs_elements || x.layout().size() > 0 || detail::extent_of(x.shape(), axes) > 0) return;
  std::int64_t results = 1;
  for (int axis = 0; axis < x.ndim(); ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), axis))
      results *= x.shape()[static_cast<std::size_t>(axis)];
  }
  EH_CHECK(results == 0, ValueError, op.name, ": zero-size array of shape ", to_string(x.shape()),
           " to a reduction that has no identity");
}

at::Tensor local_part(const Reduction& op, const at::Tensor& x, Dims dims, bool keepdims,
                      at::ScalarType type) {
  const bool empty = op.needs_elements && x.numel() == 0;
  return empty ? extreme_of_nothing(op, x, dims, keepdims, type) : op.local(x, dims, keepdims, type);
}

/// All axes into a 0-d result: no vectors to build.
DNDarray reduce_all(const Reduction& op, const DNDarray& x, at::ScalarType inside) {
  if (op.needs_elements) check_elements(op, x, detail::reduced_axes(std::nullopt, x.ndim(), op.name));
  const at::Tensor partial = local_part(op, x.local(), std::nullopt, false, inside);
  return {x.is_distributed() ? combined(op, partial, x.comm_ptr()) : partial,
          scalar_layout(x.layout().nranks()), x.comm_ptr()};
}

DNDarray reduce_axes(const Reduction& op, const DNDarray& x, const Axes& axes, bool keepdims,
                     at::ScalarType inside) {
  const std::vector<int> sorted = detail::reduced_axes(axes, x.ndim(), op.name);
  check_elements(op, x, sorted);
  const LayoutPtr layout = sorted.empty() ? x.layout_ptr() : share(x.layout().reduced(sorted, keepdims));
  if (sorted.empty())
    return {op.local(x.local().unsqueeze(0), at::IntArrayRef{0}, false, inside), layout, x.comm_ptr()};
  const at::Tensor partial = local_part(op, x.local(), detail::dims_of(sorted), keepdims, inside);
  return {detail::crosses_ranks(x, sorted) ? combined(op, partial, x.comm_ptr()) : partial, layout,
          x.comm_ptr()};
}

}  // namespace

namespace detail {

std::vector<int> reduced_axes(const Axes& axes, int ndim, const char* name) {
  if (axes) return normalize_axes(*axes, ndim, name);
  std::vector<int> all(static_cast<std::size_t>(ndim));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

bool is_first_axis(const Axes& axes) {
  return axes && axes->size() == 1 && (axes->front() == 0 || axes->front() == -1);
}

bool crosses_ranks(const DNDarray& x, const std::vector<int>& axes) {
  return x.is_distributed() && std::binary_search(axes.begin(), axes.end(), x.split());
}

std::int64_t extent_of(const Shape& shape, const std::vector<int>& axes) {
  std::int64_t extent = 1;
  for (int axis : axes) extent *= shape[static_cast<std::size_t>(axis)];
  return extent;
}

}  // namespace detail

std::span<const Reduction> reductions() { return kReductions; }

DNDarray reduce(const Reduction& op, const DNDarray& x, const Axes& axes, bool keepdims, MaybeType dtype) {
  if (x.ndim() == 0 && detail::is_first_axis(axes)) return reduce(op, x, std::vector<int>{}, keepdims, dtype);
  const at::ScalarType given = x.local().scalar_type();
  compute_type(op.name, Entry::Same, op.kinds, given);
  const at::ScalarType type = dtype.value_or(result_type(op, given));
  const at::ScalarType inside = detail::accumulation_type(kernel_type(type));
  const bool by_order = op.combine == ReduceOp::Min || op.combine == ReduceOp::Max;
  if (type == at::ScalarType::UInt64 && given == type && by_order) {
    const DNDarray ordered = x.with_local(to_ordered(x.local().to(at::kLong)));
    const DNDarray extreme = reduce(op, ordered, axes, keepdims, std::nullopt);
    return extreme.with_local(from_ordered(extreme.local()).to(type));
  }
  const bool all = !axes && (!keepdims || x.ndim() == 0);
  const DNDarray result = all ? reduce_all(op, x, inside) : reduce_axes(op, x, axes, keepdims, inside);
  return inside == type ? result : result.with_local(result.local().to(type));
}

}  // namespace eh
