// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <vector>

#include "ops/op.hpp"

/// Reductions, moments and running totals. Differentiable.
///
/// Every one is a local part and, only if the split axis is reduced over more than one rank, one collective of
/// the partial results. The result is then replicated; otherwise it keeps the distribution of the input.
namespace eh {

using Axes = std::optional<std::vector<int>>;  ///< absent: all axes
using MaybeType = std::optional<at::ScalarType>;

/// Cost: one allreduce of the result's size if the split axis is among `axes`, else nothing.
/// @throws ValueError "max: zero-size array to a reduction without identity" for no elements
DNDarray reduce(const Reduction& op, const DNDarray& x, const Axes& axes, bool keepdims, MaybeType dtype);

/// Arithmetic mean: float16 accumulates in float32, integers in float64 (the result is float32).
DNDarray mean(const DNDarray& x, const Axes& axes, bool keepdims, MaybeType dtype);

/// Mean squared deviation, divided by (n - ddof). Two passes locally, merged over ranks by Chan's formula from
/// one allgather of (mean, sum of squared deviations) per rank.
DNDarray variance(const DNDarray& x, const Axes& axes, bool keepdims, MaybeType dtype, double ddof);

/// Third moment of standardized data; `unbiased` corrects it for a sample. NaN of constant data.
/// Types as mean. Cost: one allgather of four partial results per rank if the split is among the axes.
DNDarray skewness(const DNDarray& x, const Axes& axes, bool keepdims, bool unbiased);

/// Fourth moment of standardized data; `excess` subtracts the normal distribution's 3. Otherwise as skewness.
DNDarray kurtosis(const DNDarray& x, const Axes& axes, bool keepdims, bool unbiased, bool excess);

/// Index of the first largest (smallest) element in the global order, or of the first NaN; int64, exact.
/// Without axis: the index in the flattened array. Cost: one allgather of the partial results.
DNDarray arg_extreme(bool largest, const DNDarray& x, std::optional<int> axis, bool keepdims);

/// Running totals along `axis`; without axis along the flattened array, whose split is 0 if x is split.
/// Cost: one exscan of a slice if `axis` is the split axis.
DNDarray scan(const Scan& op, const DNDarray& x, std::optional<int> axis, MaybeType dtype);

namespace detail {

/// Sorted axes of a reduction; all of them without `axes`.
std::vector<int> reduced_axes(const Axes& axes, int ndim, const char* name);
/// The first or the last axis alone, which NumPy's reductions take of arrays without axes too.
bool is_first_axis(const Axes& axes);
/// True if ranks hold partial results that must be combined.
bool crosses_ranks(const DNDarray& x, const std::vector<int>& axes);
inline std::vector<std::int64_t> dims_of(const std::vector<int>& axes) { return {axes.begin(), axes.end()}; }
/// Elements per result element.
std::int64_t extent_of(const Shape& shape, const std::vector<int>& axes);
/// float32 for the half types: what they accumulate in.
inline at::ScalarType accumulation_type(at::ScalarType type) {
  const bool half = type == at::ScalarType::Half || type == at::ScalarType::BFloat16;
  return half ? at::ScalarType::Float : type;
}

}  // namespace detail
}  // namespace eh
