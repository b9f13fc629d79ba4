// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/pairwise.hpp"

/// Statistics of columns in one pass over the rows.
namespace eh::kernels {

/// Of each column, of the rows seen so far.
struct ColumnMoments {
  explicit ColumnMoments(std::int64_t features);
  /// Adds what another one has seen (Chan, Golub and LeVeque 1983).
  void merge(const ColumnMoments& other);
  std::int64_t features() const { return static_cast<std::int64_t>(mean.size()); }

  double count = 0;          ///< rows, or the sum of their weights
  std::vector<double> mean;  ///< NaN where the column has NaN or infinity
  std::vector<double> m2;    ///< sum of squared deviations from the mean
  std::vector<double> min;
  std::vector<double> max;
};

/// Takes rows into account. Sums are taken in double precision, about a row of every 128: an offset that is large beside
/// the deviations costs no digits. `weights` (per row, counted from x.first; null: 1) must not be negative.
template <typename T>
void column_moments(const RowBlock<T>& x, const T* weights, ColumnMoments& moments);

/// out = (x - shift) * factor by columns, in double precision, rounded once. Null shift or factor: none.
template <typename T>
void scale_columns(const RowBlock<T>& x, const double* shift, const double* factor, T* out);

}  // namespace eh::kernels
