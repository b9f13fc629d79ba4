// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

/// Matrix products on one rank, by the library that is fastest on this processor.
///
/// torch multiplies with MKL, which uses no more than AVX2 on processors that are not Intel's. With AVX-512, oneDNN (inside
/// torch, too) takes less than half the time for float32, and the kernel of kernels/dense_product.hpp for float64, which
/// oneDNN has not got. Everything else is torch's.
namespace eh {

/// Whether products of float32 go to oneDNN here: on a processor of AMD with AVX-512, or as EQUIHEAT_ONEDNN says (0, 1),
/// with a torch that has the operator. The same on ranks with equal processors, so that replicated results stay the same bits.
bool uses_onednn();

/// a b, as torch's matmul. Differentiable as that.
at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b);

/// c += a b, or -=, for matrices, in place.
void update_product(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, bool subtract = false);

/// x w^T + bias of matrices without gradients, where uses_onednn() and the sizes pay; absent otherwise.
std::optional<at::Tensor> onednn_linear(const at::Tensor& x, const at::Tensor& w,
                                        const std::optional<at::Tensor>& bias);

}  // namespace eh
