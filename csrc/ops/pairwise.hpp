// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "array/dndarray.hpp"

namespace eh {

/// Distances of all pairs of rows of x (n, f) and y (m, f): (n, m).
///
/// metric "euclidean" and "rbf" (exp(-d^2 / 2 sigma^2)) take differences; "expanded" and "rbf_expanded" use
/// |x|^2 + |y|^2 - 2 x y, faster for many features and inexact for small distances far from zero; "manhattan".
/// Split: 0 if x is split, else 1 if y is, else None. Rows split along features are redistributed (one alltoallv);
/// where both are split, y is gathered (one allgather) if a rank has four times as many rows of x as there are features,
/// so that y is a quarter of its result or less; else, and with gradients, its blocks circulate, two at a time. Collective; differentiable.
/// @throws ValueError for shapes that do not match or an unknown metric, TypeError for complex numbers
DNDarray pairwise_distances(const DNDarray& x, const DNDarray& y, const std::string& metric, double sigma);

struct Neighbors {
  DNDarray distances;  ///< (n, k), ascending
  DNDarray indices;    ///< (n, k) int64, rows of y; ties in their order
};
/// The k nearest rows of y for each row of x, split as the rows of x; metric "euclidean" or "manhattan".
/// Memory: O(n k) and two blocks of y. Where x is replicated and y split, one allgather of (p, n, k). Collective.
/// @throws ValueError unless 1 <= k <= m
Neighbors nearest_rows(const DNDarray& x, const DNDarray& y, std::int64_t k, const std::string& metric);

/// sums[i, g] = sum of the distances of row i of x to the rows of x whose group is g: (n, groups) float64, split as
/// the rows of x. group: (n,) int64 in [0, groups), split as the rows. Blocks of x circulate. Collective.
DNDarray distance_sums(const DNDarray& x, const DNDarray& group, std::int64_t groups,
                       const std::string& metric);

/// The rows with these numbers, replicated. Collective: one allreduce of the result. No gradient.
at::Tensor gather_rows(const DNDarray& x, const std::vector<std::int64_t>& rows);

}  // namespace eh
