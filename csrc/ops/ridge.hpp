// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "array/dndarray.hpp"

namespace eh {

struct RidgeFit {
  DNDarray coef;       ///< (alphas, d, t) without the axes of a single alpha and of a 1-D y; replicated
  DNDarray intercept;  ///< (alphas, t), likewise; zero without fit_intercept
};

struct RidgeOptions {
  /// The alphas are a list, with an axis of its own in the result, also if it has one entry.
  bool several = false;
  bool fit_intercept = true;
  /// "cholesky" of the Gram matrix, or "qr" of x, which does not square its condition number.
  std::string method = "cholesky";
  /// Means, Gram matrix and solution in float64 also for narrower input; the result has the input's type.
  bool precise = true;
};

/// Minimises |y - x w - b|^2 + alpha |w|^2 for every alpha and every column of y; b is not penalised.
///
/// x (n, d), y (n,) or (n, t). One allreduce of the means with fit_intercept; then one allreduce of the Gram matrix
/// (d, d + t), or the QR of x, whatever the number of alphas. x that is not split along rows is redistributed first.
/// Memory per rank: the block of x (method "qr": four), and (d, d + t) for every alpha with gradients. Collective;
/// differentiable.
/// @throws ValueError for shapes that do not match, no rows, an unknown method, a negative or non-finite alpha, or a
/// Gram matrix that is not positive definite
RidgeFit ridge(const DNDarray& x, const DNDarray& y, const std::vector<double>& alphas,
               const RidgeOptions& options);

}  // namespace eh
