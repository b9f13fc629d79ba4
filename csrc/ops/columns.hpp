// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "array/dndarray.hpp"

/// Statistics of the columns of a matrix of samples.
namespace eh {

/// float64 vectors of one entry per column, replicated; split 0 where the columns are split.
struct ColumnStatistics {
  double count;  ///< rows, or the sum of the weights
  DNDarray mean;
  DNDarray variance;  ///< of the population: divided by `count`
  DNDarray min;
  DNDarray max;
};
/// One pass over x (n, f) and, where rows are split, three allreduces of up to 2 f numbers. Collective.
/// @throws ValueError for x without rows; for NaN or infinity in x (on all ranks)
ColumnStatistics column_statistics(const DNDarray& x, const std::optional<DNDarray>& weights, const char* fn);

/// (x - shift) * factor by columns, computed in double precision and rounded once, in x's type (float32 for integers);
/// split kept, local. shift and factor are as column_statistics returns them. Differentiable in x.
DNDarray scale_columns(const DNDarray& x, const std::optional<DNDarray>& shift,
                       const std::optional<DNDarray>& factor);

}  // namespace eh
