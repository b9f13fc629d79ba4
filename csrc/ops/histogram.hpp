// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <vector>

#include "array/dndarray.hpp"

/// Counting, and places in sorted arrays. None has a gradient.
namespace eh {

/// Smallest and largest element (least > greatest for none) and the number of NaN, which do not count.
/// @pre real or integer. Collective: two allreduces when split.
struct ValueRange {
  double least;
  double greatest;
  std::int64_t nans;
};
ValueRange value_range(const DNDarray& x);

/// Elements in the bins between ascending edges (the last bin includes its upper edge): int64 counts, or float64 sums
/// of weights. Replicated. `even`: about equally spaced. Collective: one allreduce when split.
/// @throws ValueError unless weights have the shape of x
DNDarray histogram(const DNDarray& x, const std::vector<double>& edges, bool even,
                   const std::optional<DNDarray>& weights);

/// How often 0, 1, 2, ... occur among bool or non-negative integers, at least `minlength` of them: int64, or float64
/// sums of weights. Replicated. Collective: three allreduces when split.
/// @throws TypeError unless integers, ValueError for negative ones
DNDarray bincount(const DNDarray& x, const std::optional<DNDarray>& weights, std::int64_t minlength);

/// For every element of v the number of elements of the ascending 1-D array `a` that are less than it, or not greater
/// where `right`: int64, with v's layout. NaN is the largest.
///
/// Local if `a` is replicated. One allreduce of v's size if only `a` is split; if both are, one allgather of a value
/// per rank and two alltoallv of v's elements: neither array is gathered. Collective.
DNDarray searchsorted(const DNDarray& a, const DNDarray& v, bool right);

}  // namespace eh
