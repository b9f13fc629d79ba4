// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

/// Comparisons of two tensors of one dtype that broadcast, by the native kernel where both lie alike in memory (or
/// the second is one number), else by torch.
namespace eh {

at::Tensor equal(const at::Tensor& a, const at::Tensor& b);
at::Tensor greater(const at::Tensor& a, const at::Tensor& b);
at::Tensor greater_equal(const at::Tensor& a, const at::Tensor& b);
at::Tensor less(const at::Tensor& a, const at::Tensor& b);
at::Tensor less_equal(const at::Tensor& a, const at::Tensor& b);
at::Tensor not_equal(const at::Tensor& a, const at::Tensor& b);
at::Tensor is_nan(const at::Tensor& x);

}  // namespace eh
