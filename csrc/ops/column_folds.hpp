// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "kernels/column_folds.hpp"

namespace eh {

using kernels::ColumnFold;

/// A local sum, least or greatest over axes of which none is the innermost, by the native kernel, in `type`: torch takes
/// 2 (sums) to 30 times (extremes) as long where rows are short. NaN propagates. Absent where torch is as good or the
/// only one: few elements or rows, the innermost axis, axes apart, other types, other devices, gradients.
std::optional<at::Tensor> fold_columns(ColumnFold fold, const at::Tensor& x, at::OptionalIntArrayRef dims,
                                       bool keepdims, at::ScalarType type);

}  // namespace eh
