// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs_ops.h>
#include <ATen/ops/acos_ops.h>
#include <ATen/ops/acosh_ops.h>
#include <ATen/ops/aminmax_ops.h>
#include <ATen/ops/angle_ops.h>
#include <ATen/ops/asin_ops.h>
#include <ATen/ops/asinh_ops.h>
#include <ATen/ops/atan2_ops.h>
#include <ATen/ops/atan_ops.h>
#include <ATen/ops/atanh_ops.h>
#include <ATen/ops/bitwise_not_ops.h>
#include <ATen/ops/ceil_ops.h>
#include <ATen/ops/complex_ops.h>
#include <ATen/ops/conj_physical_ops.h>
#include <ATen/ops/copysign_ops.h>
#include <ATen/ops/cos_ops.h>
#include <ATen/ops/cosh_ops.h>
#include <ATen/ops/deg2rad_ops.h>
#include <ATen/ops/exp_ops.h>
#include <ATen/ops/expm1_ops.h>
#include <ATen/ops/floor_ops.h>
#include <ATen/ops/hypot_ops.h>
#include <ATen/ops/imag_ops.h>
#include <ATen/ops/isfinite_ops.h>
#include <ATen/ops/isinf_ops.h>
#include <ATen/ops/isnan_ops.h>
#include <ATen/ops/isneginf_ops.h>
#include <ATen/ops/isposinf_ops.h>
#include <ATen/ops/log10_ops.h>
#include <ATen/ops/log1p_ops.h>
#include <ATen/ops/log2_ops.h>
#include <ATen/ops/log_ops.h>
#include <ATen/ops/logical_not_ops.h>
#include <ATen/ops/neg_ops.h>
#include <ATen/ops/rad2deg_ops.h>
#include <ATen/ops/real_ops.h>
#include <ATen/ops/reciprocal_ops.h>
#include <ATen/ops/round_ops.h>
#include <ATen/ops/sgn_ops.h>
#include <ATen/ops/signbit_ops.h>
#include <ATen/ops/sin_ops.h>
#include <ATen/ops/sinc_ops.h>
#include <ATen/ops/sinh_ops.h>
#include <ATen/ops/special_exp2_ops.h>
#include <ATen/ops/sqrt_ops.h>
#include <ATen/ops/square_ops.h>
#include <ATen/ops/tan_ops.h>
#include <ATen/ops/tanh_ops.h>
#include <ATen/ops/trunc_ops.h>
#include <ATen/ops/view_as_complex_ops.h>
#include <ATen/ops/view_as_real_ops.h>
#include <ATen/ops/zeros_like_ops.h>

#include <cmath>

#include "ops/compare.hpp"
#include "ops/elementwise.hpp"
#include "ops/types.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

at::Tensor copied(const at::Tensor& x) { return x.clone(); }
/// Rounding by `Op`, which torch has for numbers only: a truth value is whole.
template <typename Op>
at::Tensor rounded(const at::Tensor& x) {
  return x.scalar_type() == at::kBool ? x.clone() : Op::call(x);
}
at::Tensor real_part(const at::Tensor& x) { return x.is_complex() ? op::real::call(x) : x; }
at::Tensor conjugated(const at::Tensor& x) { return x.is_complex() ? op::conj_physical::call(x) : x.clone(); }

at::Tensor imaginary_part(const at::Tensor& x) {
  if (x.is_complex()) return op::imag::call(x);
  return op::zeros_like::call(x, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt);
}

// torch gives a complex zero the sign +.
at::Tensor negated(const at::Tensor& x) {
  if (!x.is_complex()) return op::neg::call(x);
  return op::view_as_complex::call(op::neg::call(op::view_as_real::call(x.resolve_conj())));
}

// The imaginary part is on the other side of zero, also where it is zero (C99, annex G).
at::Tensor arc_cosine(const at::Tensor& x) {
  const at::Tensor result = op::acos::call(x);
  if (!x.is_complex()) return result;
  const at::Tensor side = op::neg::call(op::imag::call(x));
  return op::complex::call(op::real::call(result), op::copysign_Tensor::call(op::imag::call(result), side));
}

// torch loses the infinite magnitude beside a part that is no number, and a magnitude of one has the logarithm +0.
at::Tensor log_of_one_more(const at::Tensor& x) {
  const at::Tensor result = op::log1p::call(x);
  if (!x.is_complex()) return result;
  const at::Tensor infinite =
      op::isinf::call(op::real::call(x)).logical_or_(op::isinf::call(op::imag::call(x)));
  const at::Tensor magnitude = op::real::call(result).masked_fill(infinite, INFINITY).add(0.0);
  const at::Tensor angle =
      op::atan2::call(op::imag::call(x), op::real::call(x));  // 1 is nothing beside infinity
  return op::complex::call(magnitude, angle.where(infinite, op::imag::call(result)));
}

/// Other values for a fresh complex result of torch; its gradient stays.
void set_parts(const at::Tensor& result, const at::Tensor& real, const at::Tensor& imaginary) {
  const at::Tensor values = result.variable_data();
  op::real::call(values).copy_(real);
  op::imag::call(values).copy_(imaginary);
}

// 1 / x by Smith's method, as NumPy: torch loses signs of zeros, and 1 / 0 is no number.
at::Tensor inverted(const at::Tensor& x) {
  const at::Tensor result = op::reciprocal::call(x);
  if (!x.is_complex()) return result;
  const at::Tensor a = op::real::call(x.detach()), b = op::imag::call(x.detach());
  const at::Tensor upright = b.abs().le(a.abs());
  const at::Tensor large = a.where(upright, b);
  const at::Tensor ratio = b.where(upright, a).div(large);
  const at::Tensor scale = large.add(b.where(upright, a).mul(ratio)).reciprocal();
  const at::Tensor rest = scale.mul(ratio);
  set_parts(result, scale.where(upright, rest), rest.where(upright, scale).neg());
  return result;
}

// torch has no magnitude of bool.
at::Tensor magnitude(const at::Tensor& x) {
  return x.scalar_type() == at::ScalarType::Bool ? x.clone() : op::abs::call(x);
}

// torch's angle of a real -0.0 is 0, NumPy's is pi.
at::Tensor phase(const at::Tensor& x) {
  return x.is_complex() ? op::angle::call(x) : op::atan2::call(imaginary_part(x), x);
}

// One part infinite: the direction of that part; both: none. torch gives NaN, and loses very small and large numbers.
// The length of large finite parts may be infinite: that of their halves is not.
void set_directions(const at::Tensor& sign, const at::Tensor& x) {
  const at::Tensor a = op::real::call(x), b = op::imag::call(x);
  const at::Tensor infinite = op::isinf::call(a).logical_or_(op::isinf::call(b));
  const at::Tensor length = op::hypot::call(a, b);
  const at::Tensor beyond = op::isinf::call(length);
  const at::Tensor half = op::hypot::call(a.mul(0.5), b.mul(0.5));
  const auto part = [&](const at::Tensor& value, const at::Tensor& other) {
    const at::Tensor endless = op::isinf::call(value);
    const at::Tensor direction = op::sgn::call(value)
                                     .masked_fill(endless.logical_not(), 0)
                                     .masked_fill(endless.logical_and(op::isinf::call(other)), NAN);
    const at::Tensor ratio = value.mul(0.5).div(half).where(beyond, value.div(length));
    return direction.where(infinite, ratio.masked_fill(length.eq(0), 0));
  };
  set_parts(sign, part(a, b), part(b, a));
}

// torch's sign of NaN is 0.
at::Tensor sign_of(const at::Tensor& x) {
  const at::Tensor sign = op::sgn::call(x);
  if (x.is_complex()) set_directions(sign, x.detach());
  return x.is_floating_point() ? x.where(op::isnan::call(x), sign) : sign;
}

at::Tensor has_imaginary_part(const at::Tensor& x) {
  return x.is_complex() ? op::imag::call(x).ne(0) : imaginary_part(x).to(at::kBool);
}
at::Tensor has_no_imaginary_part(const at::Tensor& x) { return has_imaginary_part(x).logical_not(); }

// One Newton step brings the power's few units in the last place down to about one.
at::Tensor cube_root(const at::Tensor& x) {
  const at::Tensor guess = op::sgn::call(x).mul(op::abs::call(x).pow(1.0 / 3.0));
  const at::Tensor refined = guess.sub(guess.sub(x.div(guess.square())).div(3));
  const at::Tensor usable = guess.ne(0).logical_and(op::isfinite::call(guess));
  return refined.where(usable, guess);
}

// torch's vectors on processors halve exp(|x|), which overflows before the result does.
bool exceeds_exp(const at::Tensor& x) {
  if (!x.is_cpu() || x.numel() == 0 || !is_plain_real(x.scalar_type())) return false;
  const auto [low, high] = op::aminmax::call(x.detach(), std::nullopt, false);
  const double limit = x.scalar_type() == at::kFloat ? 88 : 709;
  return !(low.item<double>() >= -limit && high.item<double>() <= limit);
}

/// function(x) for cosh or sinh; exp(|x| / 2)^2 / 2 for elements where exp(|x|) may overflow.
at::Tensor hyperbolic(at::Tensor (*function)(const at::Tensor&), const at::Tensor& x) {
  if (!exceeds_exp(x)) return function(x);
  const at::Tensor large = x.abs().gt(x.scalar_type() == at::kFloat ? 88 : 709);
  const at::Tensor size = x.abs().masked_fill(large.logical_not(), 0).to(at::kDouble);
  // Two exponentials, each of its own half: the derivative of a square, or of a shared half, would overflow.
  const auto root = [&] { return op::exp::call(size.div(2)); };
  const at::Tensor value = root().mul(0.5).mul(root()).to(x.scalar_type());
  const at::Tensor signed_value = function == &op::sinh::call ? op::copysign_Tensor::call(value, x) : value;
  return signed_value.where(large, function(x.masked_fill(large, 0)));
}
at::Tensor hyperbolic_cosine(const at::Tensor& x) { return hyperbolic(&op::cosh::call, x); }
at::Tensor hyperbolic_sine(const at::Tensor& x) { return hyperbolic(&op::sinh::call, x); }

at::Tensor round_half_even(const at::Tensor& x) {
  if (!x.is_complex()) return op::round::call(x);
  return op::complex::call(op::round::call(op::real::call(x)), op::round::call(op::imag::call(x)));
}

constexpr UnaryOp kUnary[] = {
#define EH_UNARY(name, local, entry, kinds) {#name, local, Entry::entry, Kinds(kinds)},
#include "ops/unary.def"
#undef EH_UNARY
};

}  // namespace

std::span<const UnaryOp> unary_ops() { return kUnary; }

DNDarray unary(const UnaryOp& op, const DNDarray& x) {
  const at::ScalarType given = x.local().scalar_type();
  // Every operation but `invert` takes float32 and float64 as they are.
  if (is_plain_real(given) && op.entry != Entry::Double && op.kinds.accept('f'))
    return x.with_local(op.local(x.local()));
  const at::ScalarType type = compute_type(op.name, op.entry, op.kinds, given);
  const UnaryKernel own = unsigned_kernel(op, type);
  if (own != nullptr) return x.with_local(from_kernel_type(own(cast(x.local(), at::kLong)), type));
  return x.with_local(from_kernel_type(op.local(cast(x.local(), kernel_type(type))), type));
}

}  // namespace eh
