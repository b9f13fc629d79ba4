// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "kernels/pairwise.hpp"
#include "ops/samples.hpp"

/// One pass of a clustering around centres over the samples of all ranks.
namespace eh {

struct LloydData {
  DNDarray x;
  at::Tensor weights;  ///< per row of the block, in x's type; undefined: 1
  at::Tensor shift;    ///< (f) subtracted from the rows; undefined: none
  at::Tensor labels;   ///< (rows of the block) int64, -1 at first
  kernels::Metric metric;
};
LloydData lloyd_data(const DNDarray& x, const std::optional<DNDarray>& weights, kernels::Metric metric,
                     const char* fn);

/// Sums over the rows of all ranks, the same on every rank.
class Sums {
 public:
  Sums(std::int64_t k, std::int64_t features) : k_(k), features_(features) {}

  /// Labels that changed, and the objective.
  std::int64_t changed() const;
  double total() const;
  at::Tensor rows() const { return buffer_.narrow(0, 0, k_ * features_).view({k_, features_}); }
  at::Tensor counts() const { return buffer_.narrow(0, k_ * features_, k_); }
  /// Means of the rows of each centre; `otherwise` where there are none.
  at::Tensor means(const at::Tensor& otherwise) const;
  /// A row of weight 1 changes from one centre to another.
  void move_row(const at::Tensor& row, std::int64_t from, std::int64_t to);

  at::Tensor buffer_;  ///< float64: sums of rows, counts, changed labels, objective

 private:
  std::int64_t k_;
  std::int64_t features_;
};

struct PassOptions {
  bool sums = false;
  bool total = false;
  const at::Tensor* distance = nullptr;  ///< per row, from its centre; with total
};
/// Labels every row with the nearest of the (shifted) centres. Collective: one allreduce.
Sums pass(const LloydData& data, const at::Tensor& centers, const PassOptions& options);

}  // namespace eh
