// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "array/dndarray.hpp"

/// What small estimators are made from.
namespace eh {

struct LassoOptions {
  double penalty;            ///< of the sum of |theta_j|
  double ridge;              ///< of the sum of theta_j^2 / 2
  std::int64_t unpenalized;  ///< the first so many coefficients are not penalised
  std::int64_t max_iter;     ///< sweeps
  double tol;                ///< see kernels::DescentOptions
  bool center;               ///< subtract the means of x and y, which is to fit an intercept
};
struct LassoFit {
  DNDarray theta;      ///< (f, t) float64, replicated
  DNDarray intercept;  ///< (t) likewise; zero unless centred
  std::int64_t iterations;
};
/// Minimises |y - x theta - intercept|^2 / 2n + penalties by coordinate descent on x'x / n, for every column of y.
/// x (n, f), y (n, t): the products with x are taken in double precision, in one pass over the rows of each rank and
/// one allreduce of (f + t)^2 numbers (centred: one of f + t before it); the descent sends nothing. Collective.
/// @throws ValueError for NaN or infinity in x or y (on all ranks)
LassoFit lasso(const DNDarray& x, const DNDarray& y, const LassoOptions& options);

/// float64, replicated.
struct ClassStatistics {
  DNDarray count;  ///< (classes) rows, or the sums of their weights
  DNDarray mean;   ///< (classes, f)
  DNDarray m2;     ///< (classes, f) sums of squared deviations
};
/// Of the rows of x (n, f) whose class, in [0, classes), is in class_of (n,). One pass; two allreduces of up to
/// classes * (f + 1) numbers. Collective.
/// @throws ValueError for NaN or infinity in x or the weights (on all ranks)
ClassStatistics class_statistics(const DNDarray& x, const DNDarray& class_of, std::int64_t classes,
                                 const std::optional<DNDarray>& weights);

/// constant[c] - sum over features of (x - mean[c])^2 precision[c] / 2 for each row: (n, classes) float64, split as the
/// rows. mean and precision (classes, f), constant (classes), replicated. Local (split 1: one alltoallv). No gradient.
DNDarray class_log_likelihood(const DNDarray& x, const DNDarray& mean, const DNDarray& precision,
                              const DNDarray& constant);

struct DensityFit {
  DNDarray labels;  ///< (n,) int64: clusters in the order of their first core row; -1: in none
  DNDarray core;    ///< (n,) bool: `least` rows (or their weights) within the radius, itself among them
};
/// Clusters of density (Ester, Kriegel, Sander and Xu 1996): core rows within the radius of each other are in one
/// cluster, other rows within the radius of a core row in the first such one. Every rank joins its own core rows; what
/// spans ranks is found while blocks travel round, and joined on every rank from the pairs of parts that touch (Patwary
/// et al. 2012). metric "euclidean" or "manhattan". Three rounds of blocks, allgathers of the parts; memory beyond
/// them: O(n / p) and the number of parts. Collective. On the CPU.
/// @throws ValueError for NaN or infinity in x (on all ranks)
DensityFit dbscan(const DNDarray& x, double radius, double least, const std::optional<DNDarray>& weights,
                  const std::string& metric);

}  // namespace eh
