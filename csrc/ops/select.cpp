// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/clamp_ops.h>
#include <ATen/ops/copysign_ops.h>
#include <ATen/ops/frexp_ops.h>
#include <ATen/ops/isclose_ops.h>
#include <ATen/ops/nan_to_num_ops.h>
#include <ATen/ops/round_ops.h>
#include <ATen/ops/special_exp2_ops.h>
#include <ATen/ops/trunc_ops.h>
#include <ATen/ops/view_as_complex_ops.h>
#include <ATen/ops/view_as_real_ops.h>

#include <cmath>
#include <string_view>
#include <tuple>

#include "array/numbers.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/elementwise.hpp"
#include "ops/types.hpp"

/// Element-wise operations with parameters or several results, and writing into an array that is there.
namespace eh {
namespace {

namespace op = at::_ops;

constexpr Kinds kReal("buif");

at::Tensor real_input(const DNDarray& x, const char* name) {
  return cast(x.local(), compute_type(name, Entry::Float, kReal, x.local().scalar_type()));
}

/// Integers to tens, hundreds, ...: by way of float64, as NumPy.
at::Tensor round_integers(const at::Tensor& x, std::int64_t decimals) {
  if (decimals >= 0) return x.clone();
  const double unit = std::pow(10.0, static_cast<double>(-decimals));
  return op::round::call(x.to(at::kDouble).div(unit)).mul(unit).to(x.scalar_type());
}

at::Tensor round_reals(const at::Tensor& x, std::int64_t decimals) {
  return decimals == 0 ? op::round::call(x) : op::round_decimals::call(x, decimals);
}

/// 'b' < 'u' < 'i' < 'f' < 'c': a value may move up, or stay in its kind.
bool same_kind(at::ScalarType from, at::ScalarType to) {
  constexpr std::string_view order = "buifc";
  return order.find(kind_of(dtype_of(from))) <= order.find(kind_of(dtype_of(to)));
}

/// Type for a comparison of values by distance.
at::ScalarType distance_type(at::ScalarType a, at::ScalarType b) {
  const at::ScalarType type = promote_types(a, b);
  return at::isIntegralType(type, true) ? at::ScalarType::Double : type;
}

/// A number as a 0-d array of the type in which it meets `x`.
DNDarray like(const at::Scalar& value, const DNDarray& x) {
  check_holds("where", x.local().scalar_type(), value);
  const at::Tensor tensor =
      number(value, promote_weak(x.local().scalar_type(), value)).to(x.local().device());
  return {tensor, share(Layout::replicated({}, x.layout().nranks())), x.comm_ptr()};
}

}  // namespace

DNDarray where(const DNDarray& condition, const DNDarray& x, const DNDarray& y) {
  const at::ScalarType type = promote_types(x.local().scalar_type(), y.local().scalar_type());
  const Aligned all = align({&condition, &x, &y}, "where");
  const at::Tensor holds = all.locals[0].scalar_type() == at::kBool ? all.locals[0] : all.locals[0].ne(0);
  return {cast(all.locals[1], type).where(holds, cast(all.locals[2], type)), all.layout, all.comm};
}

DNDarray where(const DNDarray& condition, const at::Scalar& x, const DNDarray& y) {
  return where(condition, like(x, y), y);
}
DNDarray where(const DNDarray& condition, const DNDarray& x, const at::Scalar& y) {
  return where(condition, x, like(y, x));
}

DNDarray clip(const DNDarray& x, const at::Scalar& low, const at::Scalar& high) {
  const at::ScalarType type = x.local().scalar_type();
  return x.with_local(op::clamp::call(x.local(), in_range(low, type), in_range(high, type)));
}

DNDarray round(const DNDarray& x, std::int64_t decimals) {
  const at::Tensor& local = x.local();
  if (local.is_complex()) {
    const at::Tensor parts = op::view_as_real::call(local.resolve_conj());
    return x.with_local(op::view_as_complex::call(round_reals(parts, decimals)));
  }
  if (local.scalar_type() == at::kBool) return x.with_local(local.to(at::kHalf));
  return x.with_local(local.is_floating_point() ? round_reals(local, decimals)
                                                : round_integers(local, decimals));
}

DNDarray nan_to_num(const DNDarray& x, double nan, std::optional<double> posinf,
                    std::optional<double> neginf) {
  const at::Tensor& local = x.local();
  if (!local.is_complex()) return x.with_local(op::nan_to_num::call(local, nan, posinf, neginf));
  const at::Tensor parts = op::view_as_real::call(local.resolve_conj());
  return x.with_local(op::view_as_complex::call(op::nan_to_num::call(parts, nan, posinf, neginf)));
}

DNDarray isclose(const DNDarray& a, const DNDarray& b, double rtol, double atol, bool equal_nan) {
  const at::ScalarType type = distance_type(a.local().scalar_type(), b.local().scalar_type());
  const Aligned both = align({&a, &b}, "isclose");
  const at::Tensor close =
      op::isclose::call(cast(both.locals[0], type), cast(both.locals[1], type), rtol, atol, equal_nan);
  return {close, both.layout, both.comm};
}

Pair modf(const DNDarray& x) {
  const at::Tensor value = real_input(x, "modf");
  const at::Tensor whole = op::trunc::call(value);
  const at::Tensor rest = value.sub(whole).masked_fill(value.eq(whole), 0);  // inf - inf is 0 here
  return {x.with_local(op::copysign_Tensor::call(rest, value)), x.with_local(whole)};
}

Pair frexp(const DNDarray& x) {
  auto [mantissa, exponent] = op::frexp_Tensor::call(real_input(x, "frexp"));
  return {x.with_local(std::move(mantissa)), x.with_local(std::move(exponent))};
}

// Three factors, so that no power of two on the way leaves the range of float64.
DNDarray ldexp(const DNDarray& x, const DNDarray& exponent) {
  const at::ScalarType type = compute_type("ldexp", Entry::Float, kReal, x.local().scalar_type());
  compute_type("ldexp", Entry::Same, Kinds("bui"), exponent.local().scalar_type());
  const Aligned both = align({&x, &exponent}, "ldexp");
  at::Tensor rest = both.locals[1].to(at::kLong).clamp(-2200, 2200);
  at::Tensor value = both.locals[0].to(at::kDouble);
  for (int factors = 3; factors > 0; --factors) {
    const at::Tensor part = rest.div(factors, "trunc");
    value = value.mul(op::special_exp2::call(part.to(at::kDouble)));
    rest = rest.sub(part);
  }
  return {value.to(type), both.layout, both.comm};
}

void assign(const DNDarray& out, const DNDarray& values, const std::optional<DNDarray>& mask,
            const char* fn) {
  const at::ScalarType to = out.local().scalar_type();
  const at::ScalarType from = values.local().scalar_type();
  EH_CHECK(same_kind(from, to), TypeError, fn, ": cannot cast the result from ", name_of(dtype_of(from)),
           " to ", name_of(dtype_of(to)), ", the dtype of the output array");
  const DNDarray chosen = mask ? where(*mask, values, out) : values;
  EH_CHECK(chosen.shape() == out.shape(), ValueError, fn, ": the result has shape ",
           to_string(chosen.shape()), ", which does not fit the output array of shape ",
           to_string(out.shape()));
  out.local().copy_(redistribute(chosen, out.layout_ptr()).local());
}

}  // namespace eh
