// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

/// Matrix products on one rank, by what is fastest on this processor.
///
/// torch multiplies with MKL, which uses no more than AVX2 on processors that are not Intel's. With AVX-512 the kernel of
/// kernels/dense_product.hpp takes less than half the time for float32 and float64. (oneDNN, inside torch, is as fast for
/// float32, but falls to its reference code, a thousand times slower, for some strides.) Everything else is torch's.
namespace eh {

/// Whether large products of float32 and float64 are native here: on a processor of AMD with AVX-512, or as
/// EQUIHEAT_NATIVE_PRODUCTS says (0; 1: on any with AVX-512). The same on ranks with equal processors, so that
/// replicated results stay the same bits.
bool has_native_products();

/// a b, as torch's matmul. Differentiable as that.
at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b);

/// c += a b, or -=, for matrices, in place.
void update_product(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, bool subtract = false);

/// x w^T + bias of matrices without gradients; absent where torch's product is the one to take.
std::optional<at::Tensor> native_linear(const at::Tensor& x, const at::Tensor& w,
                                        const std::optional<at::Tensor>& bias);

}  // namespace eh
