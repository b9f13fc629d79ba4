// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "array/dndarray.hpp"

/// Sums over samples that small estimators are made from.
namespace eh {

struct LassoFit {
  DNDarray theta;  ///< (f, t) replicated, in x's type
  std::int64_t iterations;
};
/// Minimises |y - x theta|^2 / 2n + penalty * sum of |theta_j| for j >= unpenalized, by coordinate descent on x'x / n.
/// x (n, f), y (n, t): the products with x are taken in double precision, in one pass over the rows of each rank and
/// one allreduce of (f + t)^2 numbers; the descent sends nothing. A negative tol: max_iter sweeps. Collective.
/// @throws ValueError for NaN or infinity in x or y (on all ranks)
LassoFit lasso(const DNDarray& x, const DNDarray& y, double penalty, std::int64_t unpenalized,
               std::int64_t max_iter, double tol);

/// float64, replicated.
struct ClassStatistics {
  DNDarray count;  ///< (classes) rows, or the sums of their weights
  DNDarray mean;   ///< (classes, f)
  DNDarray m2;     ///< (classes, f) sums of squared deviations
};
/// Of the rows of x (n, f) whose class, in [0, classes), is in class_of (n,). One pass; two allreduces of up to
/// classes * (f + 1) numbers. Collective.
ClassStatistics class_statistics(const DNDarray& x, const DNDarray& class_of, std::int64_t classes,
                                 const std::optional<DNDarray>& weights);

}  // namespace eh
