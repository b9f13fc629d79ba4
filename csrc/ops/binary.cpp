// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/add_ops.h>
#include <ATen/ops/atan2_ops.h>
#include <ATen/ops/bitwise_and_ops.h>
#include <ATen/ops/bitwise_left_shift_ops.h>
#include <ATen/ops/bitwise_or_ops.h>
#include <ATen/ops/bitwise_right_shift_ops.h>
#include <ATen/ops/bitwise_xor_ops.h>
#include <ATen/ops/copysign_ops.h>
#include <ATen/ops/div_ops.h>
#include <ATen/ops/floor_divide_ops.h>
#include <ATen/ops/fmax_ops.h>
#include <ATen/ops/fmin_ops.h>
#include <ATen/ops/fmod_ops.h>
#include <ATen/ops/gcd_ops.h>
#include <ATen/ops/heaviside_ops.h>
#include <ATen/ops/hypot_ops.h>
#include <ATen/ops/lcm_ops.h>
#include <ATen/ops/logaddexp2_ops.h>
#include <ATen/ops/logaddexp_ops.h>
#include <ATen/ops/logical_and_ops.h>
#include <ATen/ops/logical_or_ops.h>
#include <ATen/ops/logical_xor_ops.h>
#include <ATen/ops/maximum_ops.h>
#include <ATen/ops/minimum_ops.h>
#include <ATen/ops/mul_ops.h>
#include <ATen/ops/nextafter_ops.h>
#include <ATen/ops/pow_ops.h>
#include <ATen/ops/remainder_ops.h>
#include <ATen/ops/sub_ops.h>
#include <ATen/ops/view_as_complex_ops.h>
#include <ATen/ops/view_as_real_ops.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/compare.hpp"
#include "ops/elementwise.hpp"
#include "ops/types.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Real and imaginary parts as a last axis, on the device of the other operand.
at::Tensor parts(const at::Tensor& x, const at::Tensor& other) {
  return op::view_as_real::call(x.resolve_conj()).to(x.dim() == 0 ? other.device() : x.device());
}

// torch multiplies the second operand with 1 + 0j, which makes NaN of an infinite part: complex numbers by parts.
at::Tensor sum_of(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_complex()) return op::add_Tensor::call(a, b, 1);
  return op::view_as_complex::call(op::add_Tensor::call(parts(a, b), parts(b, a), 1));
}
at::Tensor difference_of(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_complex()) return op::sub_Tensor::call(a, b, 1);
  return op::view_as_complex::call(op::sub_Tensor::call(parts(a, b), parts(b, a), 1));
}

// Integer division by zero stops torch, and lowest / -1 the processor: both get a harmless divisor first and
// NumPy's value afterwards (0, and the wrapped negation).
at::Tensor harmless_divisor(const at::Tensor& b) {
  const at::Tensor zero = b.eq(0);
  return b.masked_fill(at::isSignedType(b.scalar_type()) ? zero.logical_or(b.eq(-1)) : zero, 1);
}

at::Tensor floored_quotient(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_floating_point()) return op::floor_divide::call(a, b);
  const at::Tensor quotient = op::floor_divide::call(a, harmless_divisor(b));
  const at::Tensor zero = quotient.new_zeros({});
  const bool has_negatives = at::isSignedType(a.scalar_type());
  const at::Tensor by_minus_one = has_negatives ? quotient.neg().where(b.eq(-1), quotient) : quotient;
  return zero.where(b.eq(0), by_minus_one);
}

// torch's vectors on processors give NaN where the quotient overflows.
at::Tensor with_long_quotients(const at::Tensor& rest, const at::Tensor& a, const at::Tensor& b,
                               bool floored) {
  if (!rest.is_cpu() || rest.numel() == 0 || !std::isnan(rest.detach().sum().item<double>())) return rest;
  const at::Tensor x = a.detach().expand(rest.sizes());
  const at::Tensor y = b.detach().expand(rest.sizes());
  const at::Tensor wrong =
      rest.ne(rest).logical_and_(x.abs().lt(kInfinity)).logical_and_(y.ne(0)).logical_and_(y.eq(y));
  const at::Tensor exact = x.masked_select(wrong).to(at::kDouble);
  const at::Tensor divisors = y.masked_select(wrong).to(at::kDouble);
  double* value = exact.mutable_data_ptr<double>();
  const double* divisor = divisors.const_data_ptr<double>();
  for (std::int64_t i = 0; i < exact.numel(); ++i) {
    value[i] = std::fmod(value[i], divisor[i]);
    if (floored && value[i] != 0 && (value[i] < 0) != (divisor[i] < 0)) value[i] += divisor[i];
  }
  return rest.detach().masked_scatter(wrong, exact.to(rest.scalar_type())).where(wrong, rest);
}

// torch leaves the sign of the smallest integer, which has no absolute value.
at::Tensor common_divisor(const at::Tensor& a, const at::Tensor& b) { return op::gcd::call(a, b).abs(); }

// The remainder of a division by 1, which stands for 0 and -1, is the wished 0. Zeros of reals have the sign of the
// divisor.
at::Tensor floored_remainder(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_floating_point()) return op::remainder_Tensor::call(a, harmless_divisor(b));
  const at::Tensor rest = with_long_quotients(op::remainder_Tensor::call(a, b), a, b, true);
  return rest.where(rest.ne(0), op::copysign_Tensor::call(rest, b));
}
at::Tensor truncated_remainder(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_floating_point()) return op::fmod_Tensor::call(a, harmless_divisor(b));
  return with_long_quotients(op::fmod_Tensor::call(a, b), a, b, false);
}

// torch's step at NaN is 1.
at::Tensor step(const at::Tensor& a, const at::Tensor& b) {
  return a.where(a.ne(a), op::heaviside::call(a, b));
}

/// torch's complex powers are exponentials of products with a logarithm: x^0 is 1 also where x has none. Elsewhere its
/// result stays, and with it the derivative by the exponent.
at::Tensor raised(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor result = op::pow_Tensor_Tensor::call(a, b);
  return result.is_complex() ? result.masked_fill(b.eq(0).logical_and(result.ne(result)), 1) : result;
}

constexpr BinaryOp kBinary[] = {
#define EH_BINARY(name, local, entry, kinds) {#name, local, Entry::entry, Kinds(kinds)},
#include "ops/binary.def"
#undef EH_BINARY
};

[[noreturn]] void refuse_negative_power() {
  throw ValueError("power: integers to negative integer powers are not allowed; make one operand real");
}

/// NumPy refuses negative integer exponents, which are known on their rank only. Collective if b is distributed.
void check_exponents(const DNDarray& b) {
  const at::Tensor negative = b.local().lt(0).any();
  const at::Tensor anywhere =
      b.is_distributed() ? allreduce(negative, ReduceOp::LogicalOr, b.comm()) : negative;
  if (anywhere.item<bool>()) refuse_negative_power();
}

at::Tensor truth(const at::Tensor& x) { return x.scalar_type() == at::kBool ? x : x.ne(0); }

at::Tensor compute(const BinaryOp& op, const at::Tensor& a, const at::Tensor& b, at::ScalarType type) {
  if (op.entry == Entry::Truth) return op.local(truth(a), truth(b));
  if (op.entry == Entry::Compare && is_uint64_beside_signed(a.scalar_type(), b.scalar_type())) {
    return compare_with_uint64(op, a, b);
  }
  const at::ScalarType inside = kernel_type(type);
  const BinaryKernel own = unsigned_kernel(op, type);
  if (own != nullptr) return from_kernel_type(own(cast(a, inside), cast(b, inside)), type);
  return from_kernel_type(op.local(cast(a, inside), cast(b, inside)), type);
}

/// x^2 and the like: with an exponent that is a number torch needs a product, not a logarithm. Undefined for other
/// operators. torch's powers of 0.5 and -0.5 are roots, which have the sign of -0 and no value for -inf.
at::Tensor power_of_number(const BinaryOp& row, const at::Tensor& a, const at::Scalar& b,
                           at::ScalarType type) {
  const bool power = row.local == &raised;
  if (!power || !is_plain_real(type)) return {};
  const at::Tensor base = cast(a, type), result = op::pow_Tensor_Scalar::call(base, b);
  if (std::abs(b.toDouble()) != 0.5) return result;
  const double of_minus_infinity = b.toDouble() > 0 ? INFINITY : 0;
  return result.abs().masked_fill(base.eq(-INFINITY), of_minus_infinity);
}

bool same_place(const DNDarray& a, const DNDarray& b) {
  return a.comm_ptr() == b.comm_ptr() && (a.layout_ptr() == b.layout_ptr() || a.layout() == b.layout());
}

bool is_plain(const BinaryOp& op, at::ScalarType a, at::ScalarType b) {
  return a == b && is_plain_real(a) && op.entry != Entry::Double && op.kinds.accept('f');
}

at::ScalarType agreed_type(const BinaryOp& op, at::ScalarType a, at::ScalarType b) {
  const bool mixed = at::isIntegralType(a, false) != at::isIntegralType(b, false);
  const at::ScalarType type = promote_types(a, b);
  return op.entry == Entry::Compare && mixed && at::isFloatingType(type) ? at::ScalarType::Double : type;
}

/// A comparison is decided by the number, not by what is left of it in the array's type.
at::ScalarType agreed_type(const BinaryOp& op, at::ScalarType a, const at::Scalar& number) {
  const bool integer = at::isIntegralType(a, false);
  if (op.entry == Entry::Compare && integer && number.isFloatingPoint()) return at::ScalarType::Double;
  return promote_weak(a, number);
}

bool is_negative(const at::Scalar& integer) { return !integer.isUnsigned() && integer.toLong() < 0; }

/// Whether results modulo the range of the type are those of the number that it does not hold.
bool wraps(const BinaryOp& op) {
  constexpr std::string_view modular[] = {"add",         "bitwise_and", "bitwise_or",
                                          "bitwise_xor", "multiply",    "subtract"};
  return std::ranges::find(modular, std::string_view(op.name)) != std::end(modular);
}

/// The number for an array of this type. An integer that it does not hold is beyond all elements to a comparison;
/// operations that look at its size refuse it.
at::Scalar adapted(const BinaryOp& op, at::ScalarType type, const at::Scalar& number) {
  const bool integers = at::isIntegralType(type, /*includeBool=*/true) && number.isIntegral(false);
  if (!integers) return number;
  const bool compared = op.entry == Entry::Compare;
  const bool in_type = op.entry == Entry::Same || op.entry == Entry::NoBool || op.entry == Entry::Power;
  if (compared && !holds(type, number)) return is_negative(number) ? -kInfinity : kInfinity;
  if (in_type && !wraps(op)) check_holds(op.name, type, number);
  return number;
}

}  // namespace

std::span<const BinaryOp> binary_ops() { return kBinary; }

DNDarray binary(const BinaryOp& op, const DNDarray& a, const DNDarray& b) {
  const at::ScalarType ta = a.local().scalar_type();
  const at::ScalarType tb = b.local().scalar_type();
  const bool same = same_place(a, b);
  if (same && is_plain(op, ta, tb)) return a.with_local(op.local(a.local(), b.local()));

  const at::ScalarType type = compute_type(op.name, op.entry, op.kinds, agreed_type(op, ta, tb));
  const bool refusable = op.entry == Entry::Power && at::isIntegralType(type, true) && at::isSignedType(tb);
  if (same) {
    if (refusable) check_exponents(b);
    return a.with_local(compute(op, a.local(), b.local(), type));
  }
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), op.name);  // throws before the first message
  if (refusable && numel(shape) > 0) check_exponents(b);
  const Aligned aligned = align({&a, &b}, op.name);
  return {compute(op, aligned.locals[0], aligned.locals[1], type), aligned.layout, aligned.comm};
}

DNDarray binary(const BinaryOp& op, const DNDarray& a, const at::Scalar& given, bool reflected) {
  const bool negative = given.isIntegral(/*includeBool=*/true) && is_negative(given);
  const bool whole = at::isIntegralType(a.local().scalar_type(), /*includeBool=*/true);
  if (op.entry == Entry::Power && whole && !reflected && negative) refuse_negative_power();
  const at::Scalar b = adapted(op, a.local().scalar_type(), given);
  const at::ScalarType agreed = agreed_type(op, a.local().scalar_type(), b);
  const at::ScalarType type = compute_type(op.name, op.entry, op.kinds, agreed);
  const bool integer_power = op.entry == Entry::Power && at::isIntegralType(type, true);
  if (integer_power && reflected && at::isSignedType(a.local().scalar_type())) check_exponents(a);
  if (!reflected) {
    const at::Tensor result = power_of_number(op, a.local(), b, type);
    if (result.defined()) return a.with_local(result);
  }
  const at::Tensor other = number(b, op.entry == Entry::Truth ? agreed : type);
  return a.with_local(reflected ? compute(op, other, a.local(), type) : compute(op, a.local(), other, type));
}

}  // namespace eh
