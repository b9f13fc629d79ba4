// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/argmax_ops.h>
#include <ATen/ops/argmin_ops.h>
#include <ATen/ops/cat_ops.h>

#include <algorithm>
#include <limits>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/extremes.hpp"
#include "ops/reduce.hpp"
#include "ops/types.hpp"

/// argmin and argmax by NumPy's rule: NaN before everything, then the value, then the smaller index.
namespace eh {
namespace {

namespace op = at::_ops;

constexpr Kinds kOrdered("buif");

/// A tensor as (outer, n, inner) around the axis that is searched.
struct Extents {
  std::int64_t outer, n, inner;
};

/// The native kernels on a contiguous tensor: torch's take up to ten times as long.
template <typename T>
void scan(bool largest, const at::Tensor& x, Extents e, const at::Tensor& out) {
  const T* from = x.const_data_ptr<T>();
  std::int64_t* to = out.mutable_data_ptr<std::int64_t>();
  if (e.inner == 1) return kernels::first_extreme(from, e.outer, e.n, largest, to);
  kernels::first_extreme_across(from, e.outer, e.n, e.inner, largest, to);
}

using Scanner = void (*)(bool, const at::Tensor&, Extents, const at::Tensor&);

Scanner scanner(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return &scan<float>;
    case at::kDouble:
      return &scan<double>;
    case at::kByte:
      return &scan<std::uint8_t>;
    case at::kChar:
      return &scan<std::int8_t>;
    case at::kShort:
      return &scan<std::int16_t>;
    case at::kInt:
      return &scan<std::int32_t>;
    case at::kLong:
      return &scan<std::int64_t>;
    default:
      return nullptr;
  }
}

Extents extents_around(const at::Tensor& x, std::optional<std::int64_t> axis) {
  if (!axis) return {1, x.numel(), 1};
  const auto product = [&](std::int64_t begin, std::int64_t end) {
    return c10::multiply_integers(x.sizes().slice(begin, end - begin));
  };
  return {product(0, *axis), x.size(*axis), product(*axis + 1, x.dim())};
}

at::Tensor first_extreme(bool largest, const at::Tensor& x, std::optional<std::int64_t> axis, bool keepdims) {
  const Scanner scan = scanner(x.scalar_type());
  if (scan == nullptr || !x.device().is_cpu() || !x.is_contiguous() || x.numel() == 0)
    return largest ? op::argmax::call(x, axis, keepdims) : op::argmin::call(x, axis, keepdims);
  Shape shape = axis ? shape_of(x) : Shape(keepdims ? static_cast<std::size_t>(x.dim()) : 0, 1);
  if (axis && keepdims) shape[static_cast<std::size_t>(*axis)] = 1;
  if (axis && !keepdims) shape.erase(shape.begin() + *axis);
  const at::Tensor out = x.new_empty(sizes(shape), at::kLong);
  scan(largest, x, extents_around(x, axis), out);
  return out;
}

/// Best value of this rank for every result element, and its global index.
struct Extremes {
  at::Tensor values;
  at::Tensor indices;
};

/// Index into the flattened global array of an index into the flattened block.
at::Tensor to_global(const at::Tensor& flat, const DNDarray& x) {
  const std::size_t split = static_cast<std::size_t>(x.split());
  const std::int64_t rank_rows = x.local().size(x.split());
  std::int64_t inner = 1;
  for (std::size_t i = split + 1; i < x.shape().size(); ++i) inner *= x.shape()[i];
  const at::Tensor outer = flat.div(rank_rows * inner, "floor");
  const at::Tensor within = flat.sub(outer.mul(rank_rows * inner));
  return outer.mul(x.shape()[split] * inner).add(within).add(x.layout().offset(x.comm().rank()) * inner);
}

Extremes flat_candidates(bool largest, const DNDarray& x, const at::Tensor& local) {
  if (local.numel() == 0) return {local.new_zeros({}), local.new_zeros({}, at::kLong)};
  const at::Tensor index = first_extreme(largest, local, std::nullopt, false);
  return {local.reshape({-1}).index_select(0, index.reshape({1})).reshape({}), to_global(index, x)};
}

Extremes axis_candidates(bool largest, const DNDarray& x, const at::Tensor& local) {
  const std::int64_t axis = x.split();
  if (local.size(axis) == 0) {
    std::vector<std::int64_t> shape(local.sizes().begin(), local.sizes().end());
    shape[static_cast<std::size_t>(axis)] = 1;
    return {local.new_zeros(shape), local.new_zeros(shape, at::kLong)};
  }
  const at::Tensor index = first_extreme(largest, local, axis, true);
  return {local.gather(axis, index), index.add(x.layout().offset(x.comm().rank()))};
}

/// The candidates of the ranks that have any, along a new axis 0; values and indices travel in one message.
Extremes gathered(const Extremes& own, const DNDarray& x) {
  const at::Tensor values = own.values.contiguous().reshape({-1}).view(at::kByte);
  const at::Tensor indices = own.indices.contiguous().reshape({-1}).view(at::kByte);
  const at::Tensor bytes = op::cat::call(at::ITensorListRef({values, indices}), 0).unsqueeze(0);
  const std::size_t nranks = static_cast<std::size_t>(x.comm().size());
  const at::Tensor all = allgather(bytes, 0, Counts(nranks, 1), x.comm());
  std::vector<std::int64_t> ranks;
  for (int r = 0; r < x.comm().size(); ++r) {
    if (x.layout().count(r) > 0) ranks.push_back(r);
  }
  at::Tensor chosen = own.indices.new_empty({static_cast<std::int64_t>(ranks.size())});
  for (std::size_t i = 0; i < ranks.size(); ++i)
    chosen.select(0, static_cast<std::int64_t>(i)).fill_(ranks[i]);
  const at::Tensor parts = all.index_select(0, chosen);
  std::vector<std::int64_t> shape = {static_cast<std::int64_t>(ranks.size())};
  shape.insert(shape.end(), own.values.sizes().begin(), own.values.sizes().end());
  const auto block = [&](std::int64_t begin, std::int64_t bytes_of, at::ScalarType type) {
    // A copy, flat: as a view the bytes need not lie where the type may start.
    return parts.narrow(1, begin, bytes_of).reshape({-1}).clone().view(type).reshape(shape);
  };
  return {block(0, values.numel(), own.values.scalar_type()),
          block(values.numel(), indices.numel(), at::kLong)};
}

at::Tensor smallest_index_of_best(bool largest, const Extremes& all) {
  const at::Tensor winner = first_extreme(largest, all.values, 0, true);
  const at::Tensor best = all.values.gather(0, winner);
  // If any value is NaN the best one is, and equal to none: then the NaNs attain it.
  const at::Tensor attains = all.values.eq(best).logical_or_(all.values.ne(all.values));
  return all.indices.masked_fill(attains.logical_not(), std::numeric_limits<std::int64_t>::max())
      .amin(0, false);
}

/// In a type that torch orders: bool and unsigned types by way of a wider one.
at::Tensor orderable(const DNDarray& x, const char* name) {
  const at::ScalarType type = compute_type(name, Entry::Same, kOrdered, x.local().scalar_type());
  const at::Tensor local = x.local().detach();
  if (type == at::ScalarType::UInt64) return to_ordered(local.to(at::kLong));
  return type == at::kBool ? local.to(at::kByte) : cast(local, kernel_type(type));
}

at::Tensor index_along(bool largest, const DNDarray& x, const at::Tensor& local, int axis, bool keepdims) {
  if (axis != x.split() || !x.is_distributed()) return first_extreme(largest, local, axis, keepdims);
  const at::Tensor index = smallest_index_of_best(largest, gathered(axis_candidates(largest, x, local), x));
  return keepdims ? index : index.squeeze(axis);
}

at::Tensor index_in_all(bool largest, const DNDarray& x, const at::Tensor& local) {
  if (!x.is_distributed()) return first_extreme(largest, local, std::nullopt, false);
  return smallest_index_of_best(largest, gathered(flat_candidates(largest, x, local), x));
}

}  // namespace

DNDarray arg_extreme(bool largest, const DNDarray& x, std::optional<int> axis, bool keepdims) {
  const char* name = largest ? "argmax" : "argmin";
  const at::Tensor local = orderable(x, name);
  if (x.ndim() == 0 && axis && detail::is_first_axis(std::vector<int>{*axis})) axis.reset();
  const Axes axes = axis ? Axes(std::vector<int>{*axis}) : std::nullopt;
  const std::vector<int> sorted = detail::reduced_axes(axes, x.ndim(), name);
  EH_CHECK(detail::extent_of(x.shape(), sorted) > 0, ValueError, name, ": no elements along ",
           axis ? message("axis ", *axis) : std::string("any axis"), " of an array of shape ",
           to_string(x.shape()));
  const LayoutPtr layout = share(x.layout().reduced(sorted, keepdims));
  if (axis) return {index_along(largest, x, local, sorted[0], keepdims), layout, x.comm_ptr()};
  const at::Tensor index = index_in_all(largest, x, local);
  return {keepdims ? index.reshape(sizes(layout->gshape())) : index, layout, x.comm_ptr()};
}

}  // namespace eh
