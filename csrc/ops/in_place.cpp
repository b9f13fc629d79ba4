// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/add_ops.h>
#include <ATen/ops/bitwise_and_ops.h>
#include <ATen/ops/bitwise_or_ops.h>
#include <ATen/ops/bitwise_xor_ops.h>
#include <ATen/ops/div_ops.h>
#include <ATen/ops/mul_ops.h>
#include <ATen/ops/sub_ops.h>

#include <string_view>

#include "array/autograd.hpp"
#include "ops/elementwise.hpp"
#include "ops/types.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

/// torch's operation that writes into its first operand.
struct Update {
  std::string_view name;
  void (*local)(at::Tensor& a, const at::Tensor& b);
  bool integers;  ///< computes in their own type
  bool reals;
};

constexpr Update kUpdates[] = {
    {"add", [](at::Tensor& a, const at::Tensor& b) { op::add__Tensor::call(a, b, 1); }, true, true},
    {"subtract", [](at::Tensor& a, const at::Tensor& b) { op::sub__Tensor::call(a, b, 1); }, true, true},
    {"multiply", [](at::Tensor& a, const at::Tensor& b) { op::mul__Tensor::call(a, b); }, true, true},
    {"divide", [](at::Tensor& a, const at::Tensor& b) { op::div__Tensor::call(a, b); }, false, true},
    {"bitwise_and", [](at::Tensor& a, const at::Tensor& b) { op::bitwise_and__Tensor::call(a, b); }, true,
     false},
    {"bitwise_or", [](at::Tensor& a, const at::Tensor& b) { op::bitwise_or__Tensor::call(a, b); }, true,
     false},
    {"bitwise_xor", [](at::Tensor& a, const at::Tensor& b) { op::bitwise_xor__Tensor::call(a, b); }, true,
     false},
};

const Update* update_for(const BinaryOp& row, at::ScalarType type) {
  const bool integer = at::isIntegralType(type, false) && !is_wide_unsigned(type);
  for (const Update& update : kUpdates) {
    if (update.name != row.name) continue;
    return (integer && update.integers) || (is_plain_real(type) && update.reals) ? &update : nullptr;
  }
  return nullptr;
}

/// Whether each rank's block of b broadcasts against its block of a, to the shape of a.
bool fits(const DNDarray& a, const DNDarray& b) {
  if (a.comm_ptr() != b.comm_ptr() || b.ndim() > a.ndim()) return false;
  if (a.layout_ptr() == b.layout_ptr() || a.layout() == b.layout()) return true;
  if (b.layout().is_split()) return false;
  for (int axis = 0; axis < b.ndim(); ++axis) {
    const int place = axis + a.ndim() - b.ndim();
    const std::int64_t extent = b.shape()[static_cast<std::size_t>(axis)];
    const bool whole = extent == a.shape()[static_cast<std::size_t>(place)] && place != a.split();
    if (extent != 1 && !whole) return false;
  }
  return true;
}

/// Every element of x has memory of its own, and b is read where it is written or is other memory.
bool is_safe(const at::Tensor& x, const at::Tensor& b) {
  if (!x.is_non_overlapping_and_dense() || x.is_conj() || x.is_neg()) return false;
  if (!x.is_alias_of(b)) return true;
  return x.const_data_ptr() == b.const_data_ptr() && x.sizes() == b.sizes() && x.strides() == b.strides();
}

}  // namespace

bool update(const BinaryOp& row, const DNDarray& a, const DNDarray& b) {
  at::Tensor x = a.local();
  const Update* const found = update_for(row, x.scalar_type());
  if (found == nullptr || b.local().scalar_type() != x.scalar_type() || !fits(a, b)) return false;
  if (needs_grad(x) || needs_grad(b.local()) || !is_safe(x, b.local())) return false;
  found->local(x, b.local());
  return true;
}

bool update(const BinaryOp& row, const DNDarray& a, const at::Scalar& b) {
  at::Tensor x = a.local();
  const at::ScalarType type = x.scalar_type();
  const Update* const found = update_for(row, type);
  if (found == nullptr || promote_weak(type, b) != type || needs_grad(x)) return false;
  const at::Tensor other = number(b, type);
  if (!is_safe(x, other)) return false;
  found->local(x, other);
  return true;
}

}  // namespace eh
