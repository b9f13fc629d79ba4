// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ops/lu.hpp"

/// Linear systems, inverses, determinants and Cholesky factors of square matrices in the last two axes.
///
/// Matrices whole on a rank (replicated, or a stack split along a batch axis) are LAPACK's, differentiable as torch's.
/// One matrix that is split over ranks is gathered if it has at most LinalgTuning::small elements; else its columns are
/// dealt out in turn (one alltoallv in, one out) and factorised in place, in blocks. Integers and half precision are
/// computed in float32. Results of large matrices have first derivatives only.
namespace eh {

/// a^-1 b for b (..., n, k), or (n,) for every matrix of a. Split as b if that is split; else along rows if a matrix
/// a is split; stacks along the batch axis that is split. Collective: n^2 elements received per rank.
/// @throws LinAlgError on all ranks for a matrix that is exactly singular, ValueError for shapes that do not fit
DNDarray solve(const DNDarray& a, const DNDarray& b);

/// The same for a triangular a; the other triangle is not looked at. n^2 / 2 elements.
DNDarray solve_triangular(const DNDarray& a, const DNDarray& b, const Triangle& triangle);

/// Split as a. Collective: 1.5 n^2 elements received per rank.
DNDarray inv(const DNDarray& a);

struct SignLog {
  DNDarray sign;
  DNDarray logabsdet;
};
/// Sign (or phase) and logarithm of the magnitude of the determinants; 0 and -inf for a singular matrix. Split along
/// batch axes as a, else replicated. Collective: n^2 / 2 elements.
SignLog slogdet(const DNDarray& a);
DNDarray det(const DNDarray& a);

/// Lower triangular l with l l^H = a, or upper u with u^H u = a. Only a's lower triangle counts. Split as a.
/// Collective: n^2 / 2 elements. @throws LinAlgError on all ranks if a is not positive definite
DNDarray cholesky(const DNDarray& a, bool upper);

}  // namespace eh
