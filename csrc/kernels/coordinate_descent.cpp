// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/coordinate_descent.hpp"

#include <cmath>

namespace eh::kernels {
namespace {

double soft_threshold(double x, double penalty) {
  if (x > penalty) return x - penalty;
  return x < -penalty ? x + penalty : 0.0;
}

/// product = gram theta
void multiply(const double* gram, std::int64_t n, const double* theta, double* product) {
  for (std::int64_t j = 0; j < n; ++j) product[j] = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    if (theta[j] == 0) continue;
    for (std::int64_t i = 0; i < n; ++i) product[i] += gram[j * n + i] * theta[j];
  }
}

}  // namespace

std::int64_t coordinate_descent(const double* gram, const double* c, std::int64_t n,
                                const DescentOptions& options, double* theta, double* product) {
  multiply(gram, n, theta, product);
  for (std::int64_t sweep = 1; sweep <= options.max_iter; ++sweep) {
    double moved = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      const double curvature = gram[j * n + j];
      const double rho = c[j] - product[j] + curvature * theta[j];
      const double penalty = j < options.unpenalized ? 0.0 : options.penalty;
      const double value = curvature > 0 ? soft_threshold(rho, penalty) / curvature : 0.0;
      const double step = value - theta[j];
      if (step == 0) continue;
      theta[j] = value;
      for (std::int64_t i = 0; i < n; ++i) product[i] += gram[j * n + i] * step;
      moved += step * step;
    }
    if (std::sqrt(moved / static_cast<double>(n)) < options.tol || (moved == 0 && options.tol >= 0))
      return sweep;
  }
  return options.max_iter;
}

}  // namespace eh::kernels
