// SPDX-License-Identifier: BSD-3-Clause
#include "ops/matrix.hpp"

#include <ATen/ops/linalg_vector_norm_ops.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/dtype.hpp"
#include "base/error.hpp"
#include "ops/elementwise.hpp"
#include "ops/matmul.hpp"

namespace eh {
namespace {

DType dtype_of(const DNDarray& x) { return eh::dtype_of(x.local().scalar_type()); }

/// The sum of this rank's terms over `axes` as part of x's sum: complete if the split is not among them.
DNDarray finish_sum(const DNDarray& x, const at::Tensor& partial, const std::vector<int>& axes,
                    bool keepdims) {
  const bool crosses = x.is_distributed() && std::binary_search(axes.begin(), axes.end(), x.split());
  return {crosses ? sum_partials(partial, x.comm_ptr()) : partial, share(x.layout().reduced(axes, keepdims)),
          x.comm_ptr()};
}

/// Sum of the entries (i, i + shift), by one call of torch's: half the time of a diagonal's sum. @pre shift >= 0
at::Tensor sum_of_diagonal(const at::Tensor& matrix, std::int64_t shift) {
  const std::int64_t first = std::min(shift, matrix.size(1));
  return (first == 0 ? matrix : matrix.narrow(1, first, matrix.size(1) - first)).trace();
}

std::vector<std::int64_t> as_dims(const std::vector<int>& axes) { return {axes.begin(), axes.end()}; }

/// Sum of conj(a) b over axes, in a type that holds it, as the promoted type of a and b.
DNDarray sum_of_products(const DNDarray& a, const DNDarray& b, const std::vector<int>& axes, const char* fn) {
  const at::ScalarType type = scalar_type_of(promote(dtype_of(a), dtype_of(b)));
  const Aligned both = align({&a, &b}, fn);
  const DNDarray product(both.locals[0].to(type).conj().mul(both.locals[1].to(type)), both.layout, both.comm);
  const bool half = type == at::kHalf || type == at::kBFloat16;
  const at::ScalarType wide = half                                                   ? at::kFloat
                              : type == at::kBool || at::isIntegralType(type, false) ? at::kLong
                                                                                     : type;
  const at::Tensor partial = product.local().sum(as_dims(axes), false, wide);
  const DNDarray sum = finish_sum(product, partial, axes, false);
  return sum.with_local(type == at::kBool ? sum.local().ne(0) : sum.local().to(type));
}

std::vector<int> all_axes(int ndim) {
  std::vector<int> axes(static_cast<std::size_t>(ndim));
  for (int axis = 0; axis < ndim; ++axis) axes[static_cast<std::size_t>(axis)] = axis;
  return axes;
}

/// How much further right the diagonals of this rank's block lie than the global ones with `rows`, `columns`.
std::int64_t diagonal_shift(const DNDarray& x, int rows, int columns) {
  if (!x.is_distributed()) return 0;
  const std::int64_t offset = x.layout().offset(x.comm().rank());
  return x.split() == rows ? offset : x.split() == columns ? -offset : 0;
}

/// NumPy's view of a 1-D array as a square matrix of equal rows.
DNDarray as_matrix(const DNDarray& x, const char* fn) {
  EH_CHECK(x.ndim() > 0, ValueError, fn, ": needs at least 1 dimension, the array is 0-dimensional");
  if (x.ndim() > 1) return x;
  const std::int64_t n = x.shape()[0];
  const int split = x.layout().is_split() ? 1 : kNoSplit;
  return {x.local().unsqueeze(0).expand({n, x.local().size(0)}), share(x.layout().with_shape({n, n}, split)),
          x.comm_ptr()};
}

at::ScalarType norm_type(at::ScalarType type) {
  return at::isFloatingType(type) || at::isComplexType(type) ? c10::toRealValueType(type) : at::kFloat;
}

DNDarray extreme_norm(const DNDarray& x, const at::Tensor& magnitude, bool largest,
                      const std::vector<int>& axes, bool keepdims) {
  const auto dims = as_dims(axes);
  std::int64_t terms = 1;
  std::int64_t own = 1;
  for (const int axis : axes) {
    terms *= x.shape()[static_cast<std::size_t>(axis)];
    own *= magnitude.size(axis);
  }
  EH_CHECK(terms > 0 || largest, ValueError, "norm: the smallest of no elements is not defined; shape ",
           to_string(x.shape()));
  const LayoutPtr layout = share(x.layout().reduced(axes, keepdims));
  at::Tensor extreme;
  if (own == 0) {  // a rank without elements contributes what changes nothing
    const double neutral = largest ? 0.0 : std::numeric_limits<double>::infinity();
    extreme = magnitude.sum(dims, keepdims, magnitude.scalar_type()).add(neutral);
  } else {
    extreme = largest ? magnitude.amax(dims, keepdims) : magnitude.amin(dims, keepdims);
  }
  const bool crosses = x.is_distributed() && std::binary_search(axes.begin(), axes.end(), x.split());
  if (crosses) extreme = extreme_partials(extreme, largest ? ReduceOp::Max : ReduceOp::Min, x.comm_ptr());
  return {extreme, layout, x.comm_ptr()};
}

/// t^(1/ord), with derivative 0 instead of infinity at 0, as torch's norms have.
at::Tensor root(const at::Tensor& t, double ord) {
  const at::Tensor zero = t.eq(0);
  const at::Tensor safe = t.masked_fill(zero, 1);
  const at::Tensor value = ord == 2 ? safe.sqrt() : safe.pow(1 / ord);
  return value.masked_fill(zero, ord > 0 ? 0.0 : std::numeric_limits<double>::infinity());
}

}  // namespace

namespace {

/// Norms of the blocks in one pass over them, without a temporary of their size.
DNDarray euclidean_norm(const DNDarray& x, const std::vector<int>& axes, bool keepdims, at::ScalarType type) {
  const at::ScalarType wide = type == at::kDouble ? at::kDouble : at::kFloat;
  const at::ScalarType accumulate =
      at::isComplexType(x.local().scalar_type()) ? at::toComplexType(wide) : wide;
  const at::Tensor norms =
      at::_ops::linalg_vector_norm::call(x.local(), 2, as_dims(axes), keepdims, accumulate);
  if (x.comm().size() == 1) return finish_sum(x, norms.to(type), axes, keepdims);
  const DNDarray sum = finish_sum(x, norms.square(), axes, keepdims);
  return sum.with_local(root(sum.local(), 2).to(type));
}

}  // namespace

namespace {
const BinaryOp& product() {
  static const BinaryOp& op = *std::ranges::find_if(
      binary_ops(), [](const BinaryOp& b) { return std::string_view(b.name) == "multiply"; });
  return op;
}
}  // namespace

DNDarray outer(const DNDarray& a, const DNDarray& b) {
  EH_CHECK(a.ndim() == 1 && b.ndim() == 1, ValueError, "outer: needs two 1-dimensional arrays, has shapes ",
           to_string(a.shape()), " and ", to_string(b.shape()));
  const DNDarray column(a.local().unsqueeze(1), share(a.layout().with_shape({a.shape()[0], 1}, a.split())),
                        a.comm_ptr());
  const DNDarray row(b.local().unsqueeze(0),
                     share(b.layout().with_shape({1, b.shape()[0]}, b.layout().is_split() ? 1 : kNoSplit)),
                     b.comm_ptr());
  return binary(product(), column, row);
}

DNDarray vecdot(const DNDarray& a, const DNDarray& b, int axis) {
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), "vecdot");
  return sum_of_products(a, b, {normalize_axis(axis, static_cast<int>(shape.size()), "vecdot")}, "vecdot");
}

DNDarray vdot(const DNDarray& a, const DNDarray& b) {
  EH_CHECK(a.shape() == b.shape(), ValueError, "vdot: shapes ", to_string(a.shape()), " and ",
           to_string(b.shape()), " differ");
  return sum_of_products(a, b, all_axes(a.ndim()), "vdot");
}

DNDarray trace(const DNDarray& x, int offset, int axis1, int axis2) {
  EH_CHECK(x.ndim() >= 2, ValueError, "trace: needs at least 2 dimensions, the array has ", x.ndim());
  axis1 = normalize_axis(axis1, x.ndim(), "trace");
  axis2 = normalize_axis(axis2, x.ndim(), "trace");
  EH_CHECK(axis1 != axis2, ValueError, "trace: axis1 and axis2 are both ", axis1, "; they must differ");
  const at::ScalarType type = x.local().scalar_type();
  const at::ScalarType wide = is_inexact(dtype_of(x)) ? type : type == at::kUInt64 ? type : at::kLong;
  const std::int64_t shift = offset + diagonal_shift(x, axis1, axis2);
  const bool plain = x.ndim() == 2 && axis1 == 0 && shift >= 0 && (type == at::kFloat || type == at::kDouble);
  const at::Tensor sum = plain
                             ? sum_of_diagonal(x.local(), shift)
                             : x.local().diagonal(shift, axis1, axis2).sum(at::IntArrayRef{-1}, false, wide);
  return finish_sum(x, sum, {std::min(axis1, axis2), std::max(axis1, axis2)}, false);
}

DNDarray tril(const DNDarray& array, std::int64_t k) {
  const DNDarray x = as_matrix(array, "tril");
  return x.with_local(x.local().tril(k + diagonal_shift(x, x.ndim() - 2, x.ndim() - 1)));
}

DNDarray triu(const DNDarray& array, std::int64_t k) {
  const DNDarray x = as_matrix(array, "triu");
  return x.with_local(x.local().triu(k + diagonal_shift(x, x.ndim() - 2, x.ndim() - 1)));
}

DNDarray vector_norm(const DNDarray& x, double ord, const std::vector<int>& axes, bool keepdims) {
  const at::ScalarType type = norm_type(x.local().scalar_type());
  const at::ScalarType wide = type == at::kDouble ? at::kDouble : at::kFloat;
  const bool complex = at::isComplexType(x.local().scalar_type());
  if (ord == 2 && !axes.empty() && is_inexact(dtype_of(x))) return euclidean_norm(x, axes, keepdims, type);
  const at::Tensor magnitude = complex ? x.local().abs() : x.local().to(wide).abs();
  if (std::isinf(ord)) {
    const DNDarray result = extreme_norm(x, magnitude, ord > 0, axes, keepdims);
    return result.with_local(result.local().to(type));
  }
  const at::Tensor terms = ord == 0   ? magnitude.ne(0).to(wide)
                           : ord == 1 ? magnitude
                           : ord == 2 ? magnitude.square()
                                      : magnitude.pow(ord);
  const DNDarray sum =
      finish_sum(x, axes.empty() ? terms : terms.sum(as_dims(axes), keepdims, wide), axes, keepdims);
  return sum.with_local((ord == 0 || ord == 1 ? sum.local() : root(sum.local(), ord)).to(type));
}

}  // namespace eh
