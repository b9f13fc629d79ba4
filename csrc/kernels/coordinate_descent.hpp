// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Coordinate descent on quadratic forms (Friedman, Hastie, Hoefling and Tibshirani 2007).
namespace eh::kernels {

struct DescentOptions {
  double penalty;  ///< of the sum of |theta_j|, but for the first `unpenalized` coordinates
  std::int64_t unpenalized;
  std::int64_t max_iter;  ///< sweeps over all coordinates
  double tol;             ///< stop when a sweep moved theta by less, as root mean square; negative: never
};

/// Minimises theta' gram theta / 2 - c' theta + penalty |theta|_1 from the given theta on. gram is (n, n), symmetric.
/// A coordinate whose column is zero becomes zero. `product` is room for n numbers. Returns the number of sweeps.
std::int64_t coordinate_descent(const double* gram, const double* c, std::int64_t n,
                                const DescentOptions& options, double* theta, double* product);

}  // namespace eh::kernels
