// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <vector>

#include "kernels/pairwise.hpp"
#include "kernels/simd.hpp"

namespace eh::kernels {

/// What `assign` does with the nearest centres of a block of rows. Rows are shifted where they are read: a copy of
/// them would cost more than the subtraction.
template <typename T>
class AssignmentSums {
 public:
  AssignmentSums(const RowBlock<T>& rows, const Panels<T>& panels, const T* centres, Assignment<T>& result)
      : x(rows),
        y(panels),
        centres_(centres),
        result_(result),
        zeros_(result.shift != nullptr ? 0 : static_cast<std::size_t>(rows.features)) {}

  const RowBlock<T>& x;
  const Panels<T>& y;

  bool is_shifted() const { return result_.shift != nullptr; }
  /// Per feature, never null.
  const T* shift() const { return is_shifted() ? result_.shift : zeros_.data(); }

  /// Takes n rows from `first` on; labels are the numbers of their nearest centres.
  EH_SIMD_INLINE void add(std::int64_t first, std::int64_t n, const simd::Integer<T>* labels) const {
    const T* rows = x.data + first * x.features;
    const std::int64_t at = x.first + first;
    relabel(result_.labels + at, n, labels);
    if (result_.sums != nullptr && result_.weights == nullptr) add_rows(rows, nullptr, n, labels);
    if (result_.sums != nullptr && result_.weights != nullptr)
      add_rows(rows, result_.weights + at, n, labels);
    if (!result_.with_total) return;
    for (std::int64_t r = 0; r < n; ++r) add_distance(rows + r * x.features, at + r, labels[r]);
  }

 private:
  static constexpr int kStep = 4;  ///< entries of a row at a time
  typedef T Few __attribute__((vector_size(kStep * sizeof(T)), aligned(sizeof(T)), may_alias));
  typedef double Wide __attribute__((vector_size(kStep * sizeof(double)), aligned(8), may_alias));

  EH_SIMD_INLINE void relabel(std::int64_t* to, std::int64_t n, const simd::Integer<T>* labels) const {
    std::int64_t changed = 0;
    for (std::int64_t r = 0; r < n; ++r) {
      const auto label = static_cast<std::int64_t>(labels[r]);
      changed += to[r] != label ? 1 : 0;
      to[r] = label;
    }
    result_.changed += changed;
  }

  /// With a constant null for `weights`, so that the compiler sees it.
  EH_SIMD_INLINE void add_rows(const T* row, const T* weights, std::int64_t n,
                               const simd::Integer<T>* labels) const {
    const std::int64_t features = x.features, whole = features / kStep * kStep;
    const T* less = shift();
    for (std::int64_t r = 0; r < n; ++r, row += features) {
      const double weight = weights == nullptr ? 1.0 : static_cast<double>(weights[r]);
      double* sum = result_.sums + labels[r] * features;
      for (std::int64_t f = 0; f < whole; f += kStep) {
        const Few d = *reinterpret_cast<const Few*>(row + f) - *reinterpret_cast<const Few*>(less + f);
        const Wide wide = {static_cast<double>(d[0]), static_cast<double>(d[1]), static_cast<double>(d[2]),
                           static_cast<double>(d[3])};
        *reinterpret_cast<Wide*>(sum + f) += weight * wide;
      }
      for (std::int64_t f = whole; f < features; ++f)
        sum[f] += weight * static_cast<double>(row[f] - less[f]);
      result_.counts[labels[r]] += weight;
    }
  }

  EH_SIMD_INLINE void add_distance(const T* row, std::int64_t at, std::int64_t label) const {
    const T* centre = centres_ + label * x.features;
    const double weight = result_.weights == nullptr ? 1.0 : static_cast<double>(result_.weights[at]);
    const double d =
        y.metric() == Metric::Manhattan ? objective<true>(row, centre) : objective<false>(row, centre);
    result_.total += weight * d;
    if (result_.distance != nullptr) result_.distance[at] = static_cast<T>(d);
  }

  /// The distance whose sum is the clustering's objective, from differences.
  template <bool Manhattan>
  EH_SIMD_INLINE double objective(const T* row, const T* centre) const {
    const T* less = shift();
    double sum = 0;
    for (std::int64_t f = 0; f < x.features; ++f) {
      const T d = row[f] - less[f] - centre[f];
      sum += Manhattan ? static_cast<double>(std::fabs(d)) : static_cast<double>(d) * static_cast<double>(d);
    }
    return sum;
  }

  const T* centres_;
  Assignment<T>& result_;
  std::vector<T> zeros_;
};

}  // namespace eh::kernels
