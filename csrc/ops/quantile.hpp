// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "array/dndarray.hpp"
#include "ops/reduce.hpp"

namespace eh {

/// Quantiles 0 <= q <= 1 of the elements over `axes`, by NumPy's `method`, along a new first axis of q.size() entries.
///
/// Reals keep their dtype; bool and integers become float32, 64-bit ones float64; methods that pick an element keep
/// every dtype. A NaN makes the result NaN unless `skip_nan`. Replicated if the split is among `axes`, else split as
/// before (one axis further). No gradient: see quantile_positions().
///
/// Cost: local unless the split is among `axes`. Then radix selection: one allreduce of three numbers per line, and
/// about bits / 12 of 4096 counts per line, group of quantiles with common digits and batch of lines; short lines
/// are brought together by one alltoallv instead. Memory: a copy of the elements that share their upper digits with
/// a wanted one. Collective.
/// @throws TypeError for complex numbers, ValueError for an unknown method
DNDarray quantile(const DNDarray& x, const std::vector<double>& q, const Axes& axes,
                  const std::string& method, bool skip_nan, bool keepdims);

/// For every q the sorted positions it lies between, and the weight of the upper one, of n elements. Local.
struct QuantilePositions {
  std::vector<std::int64_t> lower;
  std::vector<std::int64_t> upper;
  std::vector<double> weight;
};
QuantilePositions quantile_positions(const std::string& method, const std::vector<double>& q, std::int64_t n);

}  // namespace eh
