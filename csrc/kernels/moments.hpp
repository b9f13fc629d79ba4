// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Means and sums of powers of deviations from them, in one pass over memory and without loss of digits: small
/// blocks are read twice while they are in the cache (mean, then deviations) and merged by Pébay's formulas.
/// Sandia Report SAND2008-6212; Chan, Golub, LeVeque 1983.
namespace eh::kernels {

/// What moments() computes per result element: the mean and the sums of deviations to the power 2, ..., order.
enum class MomentOrder : std::int64_t { Variance = 2, Kurtosis = 4 };

/// Moments over the middle axis of a contiguous (outer, n, inner) array. `out` is (order, outer, inner): mean, M2,
/// and for Kurtosis M3, M4. Computes in the type of x for Variance (partial sums of at most 64 terms per lane,
/// then float64), in float64 for Kurtosis. No elements give zeros.
void moments(const float* x, std::int64_t outer, std::int64_t n, std::int64_t inner, MomentOrder order,
             double* out);
void moments(const double* x, std::int64_t outer, std::int64_t n, std::int64_t inner, MomentOrder order,
             double* out);

/// Moments of `parts` disjoint samples put together. `blocks` is (parts, order, size), part p of counts[p]
/// elements each; `out` is (order, size).
void merge_moments(const double* blocks, const std::int64_t* counts, std::int64_t parts, std::int64_t size,
                   MomentOrder order, double* out);

}  // namespace eh::kernels
