// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"
#include "kernels/moments.hpp"

/// Moments of blocks by the native kernel, and of split arrays put together from them. No gradient.
namespace eh {

using kernels::MomentOrder;

/// True for what the kernel takes: real tensors on the CPU that no gradient is recorded for.
/// The same on every rank.
bool has_moment_kernel(const at::Tensor& x);

/// (order, shape of x with the axes `dims` of extent 1) float64: mean, M2[, M3, M4]; zeros of no elements.
/// @pre has_moment_kernel(x), dims sorted and not empty
at::Tensor block_moments(const at::Tensor& x, const std::vector<std::int64_t>& dims, MomentOrder order);

/// The same of the whole array, `local` being its block in the type to compute in; replicated if the split is
/// among the axes. Cost: then one allgather of the result.
at::Tensor global_moments(const DNDarray& x, const at::Tensor& local, const std::vector<int>& axes,
                          MomentOrder order);

/// Sum of squared deviations of all elements from their mean. Cost: one allgather of two numbers if x is distributed.
/// @pre has_moment_kernel(local)
double total_deviations(const DNDarray& x, const at::Tensor& local);

}  // namespace eh
