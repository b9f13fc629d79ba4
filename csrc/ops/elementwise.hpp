// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "ops/op.hpp"

/// Executors of the element-wise tables and the element-wise operations with parameters.
///
/// All of them are differentiable where the operation is. Operands are brought to one layout by align();
/// without a difference in layout nothing is sent.
namespace eh {

/// Local; the result has the layout of `x`.
DNDarray unary(const UnaryOp& op, const DNDarray& x);

/// Broadcasts, promotes and computes. Collective only if the operands are distributed differently, or for an
/// integer power, whose negative exponents are an error on all ranks.
DNDarray binary(const BinaryOp& op, const DNDarray& a, const DNDarray& b);
/// With a Python number, which adapts to the array's type; `reflected` puts it on the left.
DNDarray binary(const BinaryOp& op, const DNDarray& a, const at::Scalar& b, bool reflected);

/// Writes the result into the memory of `a` at once, without one of its own. False, with nothing done, where that is not
/// possible: another type or layout, gradients, overlapping memory, an operation torch has no such kernel for. Local.
bool update(const BinaryOp& op, const DNDarray& a, const DNDarray& b);
bool update(const BinaryOp& op, const DNDarray& a, const at::Scalar& b);

/// `x` where `condition` holds, else `y`.
DNDarray where(const DNDarray& condition, const DNDarray& x, const DNDarray& y);
/// With a Python number, which adapts to the other array's type.
DNDarray where(const DNDarray& condition, const at::Scalar& x, const DNDarray& y);
DNDarray where(const DNDarray& condition, const DNDarray& x, const at::Scalar& y);

/// Between two numbers, `high` where they cross; NaN stays. @pre float32 or float64
DNDarray clip(const DNDarray& x, const at::Scalar& low, const at::Scalar& high);

/// To `decimals` places, halves to even; negative decimals round integers, too.
DNDarray round(const DNDarray& x, std::int64_t decimals);

/// NaN and infinities replaced; absent values are the largest and the lowest finite number of the type.
DNDarray nan_to_num(const DNDarray& x, double nan, std::optional<double> posinf,
                    std::optional<double> neginf);

/// |a - b| <= atol + rtol * |b|.
DNDarray isclose(const DNDarray& a, const DNDarray& b, double rtol, double atol, bool equal_nan);

/// x * 2^exponent in the type of x, without overflow on the way. @pre the exponent is an integer array
DNDarray ldexp(const DNDarray& x, const DNDarray& exponent);

struct Pair {
  DNDarray first;
  DNDarray second;
};
/// Fractional and integral part, both with the sign of x.
Pair modf(const DNDarray& x);
/// Mantissa in [0.5, 1) and int32 exponent of two.
Pair frexp(const DNDarray& x);

/// Writes `values` into the memory of `out` where `mask` holds (everywhere without one), in the layout of `out`.
/// @throws ValueError for another shape, TypeError if the kind of value does not fit (`same_kind` casting)
void assign(const DNDarray& out, const DNDarray& values, const std::optional<DNDarray>& mask, const char* fn);

}  // namespace eh
