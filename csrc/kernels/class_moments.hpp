// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/pairwise.hpp"

/// Means and squared deviations of the rows of each class, in one pass.
namespace eh::kernels {

struct ClassMoments {
  ClassMoments(std::int64_t classes, std::int64_t features);
  /// Adds what another one has seen (Chan, Golub and LeVeque 1983).
  void merge(const ClassMoments& other);

  std::int64_t features;
  std::vector<double> count;  ///< (classes) rows, or the sum of their weights
  std::vector<double> mean;   ///< (classes, features)
  std::vector<double> m2;     ///< (classes, features) sums of squared deviations
};

/// The moments of rows whose class is class_of[x.first + i]. Sums are in double precision, about the first row of each
/// class. `weights` per row, like class_of (null: 1).
template <typename T>
ClassMoments class_moments(const RowBlock<T>& x, const std::int64_t* class_of, std::int64_t classes,
                           const T* weights);

/// out[i * classes + c] = constant[c] - sum over features of (x_i - mean[c])^2 precision[c] / 2, in double precision.
template <typename T>
void class_log_likelihood(const RowBlock<T>& x, const double* mean, const double* precision,
                          const double* constant, std::int64_t classes, double* out);

}  // namespace eh::kernels
