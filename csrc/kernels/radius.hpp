// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/pairwise.hpp"

/// Pairs of rows within a radius. Boxes around panels of y leave out those that are too far from a block of x: where
/// both are in spatial order and have few features, hardly more work than there are such pairs.
namespace eh::kernels {

/// Numbers of the rows in an order that keeps neighbours together: halves at the median of the widest feature, and so
/// on down to a panel.
template <typename T>
std::vector<std::int64_t> spatial_order(const RowBlock<T>& x);

/// Rows to search among. Metric Squared or Manhattan.
template <typename T>
class Places {
 public:
  Places(const RowBlock<T>& y, Metric metric);
  const Panels<T>& panels() const { return panels_; }
  const T* low(std::int64_t panel) const { return low_.data() + panel * panels_.features(); }
  const T* high(std::int64_t panel) const { return high_.data() + panel * panels_.features(); }

 private:
  Panels<T> panels_;
  std::vector<T> low_, high_;  ///< least and greatest features of each panel
};

/// counts[i] += the number of rows of y (the sum of their weights unless null) within `radius` of row i.
template <typename T>
void count_within(const RowBlock<T>& x, const Places<T>& y, double radius, const double* weights,
                  double* counts);

/// Calls unite(i, j) for rows i of x and j of y within `radius`.
class Uniter {
 public:
  virtual void unite(std::int64_t i, std::int64_t j) = 0;

 protected:
  ~Uniter() = default;
};
template <typename T>
void unite_within(const RowBlock<T>& x, const Places<T>& y, double radius, Uniter& uniter);

/// least[i] = min(least[i], label[j]) over the rows j of y within `radius` of row i.
template <typename T>
void least_within(const RowBlock<T>& x, const Places<T>& y, double radius, const std::int64_t* label,
                  std::int64_t* least);

}  // namespace eh::kernels
