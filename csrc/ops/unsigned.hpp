// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include "ops/op.hpp"

/// uint16, uint32 and uint64, which torch stores but hardly computes with. Sums, products and the bitwise operations
/// are those of int64 modulo the width (kernel_type); what depends on the order of uint64 values has kernels here.
/// No gradients: the values are integers.
namespace eh {

inline bool is_wide_unsigned(at::ScalarType type) {
  return type == at::ScalarType::UInt16 || type == at::ScalarType::UInt32 || type == at::ScalarType::UInt64;
}

using UnaryKernel = at::Tensor (*)(const at::Tensor&);
using BinaryKernel = at::Tensor (*)(const at::Tensor&, const at::Tensor&);
/// The kernel that takes the bits of the numbers as int64 and gives them so; null where the signed one does.
UnaryKernel unsigned_kernel(const UnaryOp& op, at::ScalarType type);
BinaryKernel unsigned_kernel(const BinaryOp& op, at::ScalarType type);

/// Whether one of two types is uint64 and the other signed, which no integer type holds both.
bool is_uint64_beside_signed(at::ScalarType a, at::ScalarType b);
/// A comparison of such operands, exact.
at::Tensor compare_with_uint64(const BinaryOp& op, const at::Tensor& a, const at::Tensor& b);

/// int64 numbers in the order of the uint64 ones, and back: the top bit is turned.
at::Tensor to_ordered(const at::Tensor& x);
at::Tensor from_ordered(const at::Tensor& ordered);

/// The same bits as the signed type of that width, for operations that only move elements; others unchanged. Local.
DNDarray as_signed(const DNDarray& x);
/// Back from as_signed(). Local.
DNDarray with_type(const DNDarray& x, at::ScalarType type);

/// move(x) where `move` only moves elements.
template <typename Move>
DNDarray moved(const DNDarray& x, const Move& move) {
  const at::ScalarType type = x.local().scalar_type();
  return is_wide_unsigned(type) ? with_type(move(as_signed(x)), type) : move(x);
}

/// The bytes of a contiguous tensor, flat, for torch's operations that have no kernels for wide unsigned types.
/// torch calls a tensor of at most one element contiguous whatever its strides, and then has no view of it as bytes.
inline at::Tensor as_bytes(const at::Tensor& x) { return x.as_strided({x.numel()}, {1}).view(at::kByte); }

}  // namespace eh
