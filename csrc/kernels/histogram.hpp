// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "base/dtype.hpp"

/// Counting elements in bins. Sums where `weights` is not null, else counts; both are added to what is there.
namespace eh::kernels {

/// Where counts go: one of the two is null.
struct Bins {
  std::int64_t* counts;
  double* sums;
};

/// Bin i counts elements with edges[i] <= x < edges[i + 1]; the last one also those equal to its upper edge. Others,
/// and NaN, are not counted. `even`: the edges are about equally spaced.
void histogram(DType dtype, const void* values, const double* weights, std::int64_t n,
               const std::vector<double>& edges, bool even, Bins bins);

/// Bin i counts elements equal to i. @pre an integer type, and 0 <= x < number of bins
void count_values(DType dtype, const void* values, const double* weights, std::int64_t n, Bins bins);

}  // namespace eh::kernels
