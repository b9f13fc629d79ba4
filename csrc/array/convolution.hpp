// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

/// Correlations of local tensors.
namespace eh {

/// out[b, i, j] = sum over p, q of v[b, p, q] * x[b, i + p, j + q], at places where v lies within x: no conjugation.
///
/// x is (batch, height, width), v (batch, h, w) or (1, h, w) for all, of one type: real, complex or integers, whose
/// sums wrap. Kernels of many elements go by Fourier transforms if the type is inexact. Differentiable.
/// @pre 1 <= h <= height, 1 <= w <= width
at::Tensor correlate_valid(const at::Tensor& x, const at::Tensor& v);

/// The same, not recorded by autograd.
at::Tensor correlate_blocks(const at::Tensor& x, const at::Tensor& v);

}  // namespace eh
