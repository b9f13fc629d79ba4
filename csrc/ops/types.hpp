// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/dtype.hpp"
#include "ops/op.hpp"
#include "ops/unsigned.hpp"

/// Which element type an operation computes in. Pure; the same answer on every rank.
namespace eh {

/// Result type of an array's type with a Python number, which has a kind but no width ("weak").
at::ScalarType promote_weak(at::ScalarType type, const at::Scalar& scalar);
/// eh::promote on torch's types.
at::ScalarType promote_types(at::ScalarType a, at::ScalarType b);

/// The type `op` computes in for operands of the agreed type.
/// @throws TypeError "floor: complex64 arrays are not supported, only bool, integer and real ones are"
at::ScalarType compute_type(const char* name, Entry entry, Kinds kinds, at::ScalarType agreed);

/// The type torch's kernels compute `type` in: 16-, 32- and 64-bit unsigned integers have next to no kernels of
/// their own and go through int64, which holds their results modulo their range exactly (ops/unsigned.hpp has the
/// operations of uint64 for which that is not enough).
inline at::ScalarType kernel_type(at::ScalarType type) {
  return is_wide_unsigned(type) ? at::ScalarType::Long : type;
}

/// A result computed in kernel_type(type) back in `type`; other results (bool, real parts) as they are.
at::Tensor from_kernel_type(const at::Tensor& result, at::ScalarType type);

inline at::Tensor cast(const at::Tensor& x, at::ScalarType type) {
  return x.scalar_type() == type ? x : x.to(type);
}

/// Whether an integer type holds an integer; bool counts as int64, which it becomes beside one.
bool holds(at::ScalarType type, const at::Scalar& integer);
/// @throws OverflowError if `type` is an integer type and the number an integer that it does not hold
void check_holds(const char* name, at::ScalarType type, const at::Scalar& number);

/// 0-d tensor of a number, on the CPU: kernels take it beside tensors of any device. Integers wrap; reals beyond the
/// range of the type are infinite.
at::Tensor number(const at::Scalar& value, at::ScalarType type);

/// True for the types every kernel takes as they are.
inline bool is_plain_real(at::ScalarType type) {
  return type == at::ScalarType::Float || type == at::ScalarType::Double;
}

}  // namespace eh
