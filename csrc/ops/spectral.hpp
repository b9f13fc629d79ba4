// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "ops/dealt.hpp"

/// Eigenvalues, singular values and functions of the matrices in the last two axes.
///
/// Matrices whole on a rank are LAPACK's, differentiable as torch's. A stack split within its matrices is dealt out
/// along axis 0 and its results stay so. Integers and half precision are computed in float32.
namespace eh {

struct SVDFactors {
  std::optional<DNDarray> u;  ///< absent if only singular values were asked for
  DNDarray s;                 ///< largest first
  std::optional<DNDarray> vh;
};

/// a = u diag(s) vh. One matrix split over ranks: by qr along its longer axis and the decomposition of r, which every
/// rank holds. The factor of the longer axis is split as a (u of a tall, vh of a wide matrix), the rest replicated.
/// Collective. @throws ValueError for a split matrix with more than `small` elements in r, see is_large_svd
SVDFactors svd(const DNDarray& a, bool full_matrices, bool vectors);

/// One matrix split over ranks whose shorter side is too long for a replicated square.
bool is_large_svd(const DNDarray& a);

struct EigenPairs {
  DNDarray values;
  std::optional<DNDarray> vectors;  ///< in columns
};

/// Eigenvalues, ascending, and orthonormal eigenvectors of Hermitian matrices. Values replicated (or split along batch
/// axes), vectors split as a. One matrix split over ranks is gathered if it has at most LinalgTuning::small elements.
EigenPairs eigh(const DNDarray& a, bool upper, bool vectors);

/// The same for one split matrix, by tridiagonal.hpp; on processors the lower triangle is read, else both. Collective: two messages of n elements
/// per column, n^2 / 2 elements of reflections, two redistributions of the vectors. First derivatives.
EigenPairs eigh_large(const DNDarray& a, bool vectors);

/// Eigenvalues and eigenvectors of general matrices, complex. One matrix split over ranks is gathered, whatever its
/// size: there is no distributed Hessenberg reduction here. Collective.
EigenPairs eig(const DNDarray& a, bool vectors);

/// exp of matrices that are whole on some rank (one split matrix is gathered). Collective.
DNDarray matrix_exp(const DNDarray& a);

}  // namespace eh
