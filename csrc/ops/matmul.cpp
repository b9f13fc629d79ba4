// SPDX-License-Identifier: BSD-3-Clause
#include "ops/matmul.hpp"

#include <algorithm>
#include <utility>

#include "array/contraction.hpp"
#include "array/contraction_plan.hpp"
#include "array/tensor_comm.hpp"
#include "base/dtype.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

/// A view with an extra axis of extent 1 at `axis`; the split moves along.
DNDarray insert_axis(const DNDarray& x, int axis) {
  Shape shape = x.shape();
  shape.insert(shape.begin() + axis, 1);
  const int split = x.split() == kNoSplit ? kNoSplit : x.split() + (x.split() >= axis ? 1 : 0);
  return {x.local().unsqueeze(axis), share(x.layout().with_shape(std::move(shape), split)), x.comm_ptr()};
}

DNDarray drop_axis(const DNDarray& x, int axis) {
  Shape shape = x.shape();
  shape.erase(shape.begin() + axis);
  const int split = x.split() > axis ? x.split() - 1 : x.split();
  return {x.local().squeeze(axis), share(x.layout().with_shape(std::move(shape), split)), x.comm_ptr()};
}

DNDarray padded(DNDarray x, int ndim) {
  while (x.ndim() < ndim) x = insert_axis(x, 0);
  return x;
}

void check_operands(const DNDarray& a, const DNDarray& b) {
  EH_CHECK(a.ndim() > 0 && b.ndim() > 0, ValueError, "matmul: operand ", a.ndim() > 0 ? 1 : 0,
           " is 0-dimensional; use * for scalars");
  EH_CHECK(a.comm_ptr() == b.comm_ptr(), ValueError, "matmul: the operands live on different communicators");
  const std::int64_t left = a.shape().back();
  const std::int64_t right = b.shape()[b.ndim() == 1 ? 0 : static_cast<std::size_t>(b.ndim() - 2)];
  EH_CHECK(left == right, ValueError, "matmul: shapes ", to_string(a.shape()), " and ", to_string(b.shape()),
           " do not match: ", left, " columns of the first meet ", right, " rows of the second");
}

Shape product_shape(const DNDarray& a, const DNDarray& b) {
  Shape shape = broadcast_shapes({a.shape().begin(), a.shape().end() - 2},
                                 {b.shape().begin(), b.shape().end() - 2}, "matmul");
  shape.insert(shape.end(), {a.shape()[a.shape().size() - 2], b.shape().back()});
  return shape;
}

/// The loop along which the product is split; see matmul.hpp.
int result_label(const LoopNest& nest, int la, int lb, bool a_is_row, bool b_is_column) {
  if (la == kNoLabel && lb == kNoLabel) return kNoLabel;
  if (la != kNoLabel && la < nest.nbatch()) return la;
  if (lb != kNoLabel && lb < nest.nbatch()) return lb;
  const bool rows = la == nest.m() || (la == kNoLabel && lb == nest.k());
  if (a_is_row && b_is_column) return kNoLabel;
  if (a_is_row) return nest.n();
  return rows || b_is_column ? nest.m() : nest.n();
}

LayoutPtr result_layout(const DNDarray& a, const DNDarray& b, bool a_is_row, bool b_is_column) {
  const int nranks = a.comm().size();
  const LayoutPtr whole = share(Layout::replicated(product_shape(a, b), nranks));
  const LoopNest nest({a.layout_ptr(), b.layout_ptr(), whole});
  const int la = nest.split_label(Operand::A, a.layout());
  const int lb = nest.split_label(Operand::B, b.layout());
  const int label = result_label(nest, la, lb, a_is_row, b_is_column);
  if (label == kNoLabel) return whole;
  const int axis = nest.axis(Operand::C, label);
  if (label == la) return share(a.layout().with_shape(whole->gshape(), axis));
  if (label == lb) return share(b.layout().with_shape(whole->gshape(), axis));
  return share(Layout::balanced(whole->gshape(), axis, nranks));
}

/// At one rank nothing is to be arranged: torch's own product with its own adjoint.
DNDarray multiply(const DNDarray& a, const DNDarray& b, const LayoutPtr& layout) {
  const bool alone = a.comm().size() == 1;
  return {alone ? block_product(a.local(), b.local())
                : contract(a.local(), b.local(), {a.layout_ptr(), b.layout_ptr(), layout}, a.comm_ptr()),
          layout, a.comm_ptr()};
}

DNDarray cast(const DNDarray& x, at::ScalarType type) {
  return x.local().scalar_type() == type ? x : x.with_local(x.local().to(type));
}

at::Tensor cast_back(const at::Tensor& product, at::ScalarType type) {
  if (product.scalar_type() == type) return product;
  if (type == at::kBool) return product.ne(0);
  // Through int64, so that a sum beyond the type's range wraps as integer arithmetic does.
  const bool wraps = at::isIntegralType(type, false) && product.is_floating_point();
  return (wraps ? product.to(at::kLong) : product).to(type);
}

std::vector<int> swapped_axes(int ndim) {
  std::vector<int> axes;
  for (int axis = 0; axis < ndim - 2; ++axis) axes.push_back(axis);
  axes.insert(axes.end(), {ndim - 1, ndim - 2});
  return axes;
}

DNDarray swap_last_axes(const DNDarray& x, const char* fn, bool conjugate) {
  EH_CHECK(x.ndim() >= 2, ValueError, fn, ": needs at least 2 dimensions, the array has ", x.ndim());
  return {conjugate ? x.local().mH() : x.local().mT(), share(x.layout().permuted(swapped_axes(x.ndim()))),
          x.comm_ptr()};
}

}  // namespace

at::ScalarType product_type(at::ScalarType type, std::int64_t k, bool distributed) {
  const auto exact_in_double = [k](int bits) { return k <= (std::int64_t{1} << (53 - 2 * bits)); };
  switch (type) {
    case at::kBool:
      return at::kFloat;  // a count above 0 never rounds to 0
    case at::kByte:
    case at::kChar:
      return exact_in_double(8) ? at::kDouble : at::kLong;
    case at::kShort:
      return exact_in_double(16) ? at::kDouble : at::kLong;
    case at::kUInt16:
    case at::kUInt32:
    case at::kUInt64:
      return at::kLong;  // torch multiplies no unsigned types; the low bits are the same
    case at::kHalf:
    case at::kBFloat16:
      return distributed ? at::kFloat : type;  // shares are rounded once, after their sum
    default:
      return type;
  }
}

DNDarray matmul(const DNDarray& a, const DNDarray& b) {
  check_operands(a, b);
  const at::ScalarType type =
      scalar_type_of(promote(dtype_of(a.local().scalar_type()), dtype_of(b.local().scalar_type())));
  const bool a_is_row = a.ndim() == 1;
  const bool b_is_column = b.ndim() == 1;
  const int ndim = std::max({a.ndim(), b.ndim(), 2});
  const bool distributed = a.is_distributed() || b.is_distributed();
  const at::ScalarType compute = product_type(type, a.shape().back(), distributed);
  const DNDarray x = padded(cast(a_is_row ? insert_axis(a, 0) : a, compute), ndim);
  const DNDarray y = padded(cast(b_is_column ? insert_axis(b, 1) : b, compute), ndim);
  DNDarray c = multiply(x, y, result_layout(x, y, a_is_row, b_is_column));
  c = c.with_local(cast_back(c.local(), type));
  if (b_is_column) c = drop_axis(c, c.ndim() - 1);
  if (a_is_row) c = drop_axis(c, c.ndim() - (b_is_column ? 1 : 2));
  return c;
}

DNDarray matmul_to(const DNDarray& a, const DNDarray& b, const LayoutPtr& layout) {
  check_operands(a, b);
  const int ndim = std::max(a.ndim(), b.ndim());
  return multiply(padded(a, ndim), padded(b, ndim), layout);
}

DNDarray matrix_transpose(const DNDarray& x) { return swap_last_axes(x, "matrix_transpose", false); }

DNDarray adjoint(const DNDarray& x) { return swap_last_axes(x, "adjoint", true); }

}  // namespace eh
