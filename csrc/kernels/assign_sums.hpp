// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>

#include "kernels/pairwise.hpp"
#include "kernels/simd.hpp"

namespace eh::kernels {

/// What `assign` does with the nearest centre of each row of a block.
template <typename T>
struct AssignmentSums {
  const RowBlock<T>& x;
  const Panels<T>& y;
  const T* centres;
  Assignment<T>& result;

  /// Rows from `first` on, less the shift, in `room` if there is one.
  EH_SIMD_INLINE const T* shifted(std::int64_t first, std::int64_t n, T* room) const {
    const T* block = x.data + first * x.features;
    if (result.shift == nullptr) return block;
    for (std::int64_t row = 0; row < n; ++row) {
      const T* from = block + row * x.features;
      T* __restrict to = room + row * x.features;
      for (std::int64_t f = 0; f < x.features; ++f) to[f] = from[f] - result.shift[f];
    }
    return room;
  }

  /// Takes n rows (`block`, shifted); label_of(row) is the number of the nearest centre.
  template <typename LabelOf>
  EH_SIMD_INLINE void add(std::int64_t first, std::int64_t n, const T* block, const LabelOf& label_of) const {
    std::int64_t changed = 0;
    for (std::int64_t row = 0; row < n; ++row) {
      const std::int64_t at = x.first + first + row;
      const std::int64_t label = label_of(row);
      const double weight = result.weights == nullptr ? 1.0 : static_cast<double>(result.weights[at]);
      changed += result.labels[at] != label ? 1 : 0;
      result.labels[at] = label;
      const T* values = block + row * x.features;
      if (result.sums != nullptr) add_row(values, label, weight);
      if (result.with_total) add_distance(values, at, label, weight);
    }
    result.changed += changed;
  }

 private:
  EH_SIMD_INLINE void add_row(const T* row, std::int64_t label, double weight) const {
    double* __restrict sum = result.sums + label * x.features;
    if (result.weights == nullptr) {
      for (std::int64_t f = 0; f < x.features; ++f) sum[f] += static_cast<double>(row[f]);
    } else {
      for (std::int64_t f = 0; f < x.features; ++f) sum[f] += weight * static_cast<double>(row[f]);
    }
    result.counts[label] += weight;
  }

  EH_SIMD_INLINE void add_distance(const T* row, std::int64_t at, std::int64_t label, double weight) const {
    const T* centre = centres + label * x.features;
    const double d = y.metric() == Metric::Manhattan ? objective<true>(row, centre, x.features)
                                                     : objective<false>(row, centre, x.features);
    result.total += weight * d;
    if (result.distance != nullptr) result.distance[at] = static_cast<T>(d);
  }

  /// The distance whose sum is the clustering's objective, from differences.
  template <bool Manhattan>
  static EH_SIMD_INLINE double objective(const T* x, const T* y, std::int64_t features) {
    double sum = 0;
    for (std::int64_t f = 0; f < features; ++f) {
      const T d = x[f] - y[f];
      sum += Manhattan ? static_cast<double>(std::fabs(d)) : static_cast<double>(d) * static_cast<double>(d);
    }
    return sum;
  }
};

}  // namespace eh::kernels
