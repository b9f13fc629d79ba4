// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "array/dndarray.hpp"

namespace eh {

struct LeastSquares {
  DNDarray x;
  DNDarray residuals;
  std::int64_t rank;
  DNDarray s;
};

/// NumPy's lstsq: x of least norm among those that minimise |a x - b|, squared residuals of its columns (empty unless
/// a has full column rank and more rows than columns), rank and singular values of a (m, n).
///
/// By QR of a (of its adjoint if m < n) and a singular value decomposition of r, which every rank holds:
/// (min(m, n), min(m, n)). x is replicated for m >= n and split 0 for a split a with m < n; the rest is replicated.
/// `rcond` absent: machine precision times max(m, n); negative: machine precision. Collective; differentiable in x
/// and in the residuals at constant rank, not in s.
/// @throws ValueError if a is not 2-D, b not 1-D or 2-D, or their rows differ
LeastSquares lstsq(const DNDarray& a, const DNDarray& b, std::optional<double> rcond);

}  // namespace eh
