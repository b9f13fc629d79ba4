// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

#include "array/dndarray.hpp"

namespace eh {

struct QRFactors {
  std::optional<DNDarray> q;  ///< absent in mode "r"
  DNDarray r;
};

/// QR factorisation of a (..., m, n); the diagonal of r is real and not negative, so that the result of a matrix of
/// full rank does not depend on the number of ranks. Modes as NumPy: "reduced", "complete", "r".
///
/// Splits: of a replicated matrix and of one split along a batch axis: the same. Split along rows: q is split along
/// rows, r is replicated. Split along columns: both along columns. A stack of matrices split within the matrices is
/// redistributed along its first axis; q comes back, r only where a is split along columns.
///
/// Methods: tall matrices by one local factorisation and one of the stacked triangles (one allgather of at most twice
/// a rank's block), or, with few columns that are far from dependent, by CholeskyQR2 (two allreduces of n * n + 1
/// elements); small others (LinalgTuning::small) whole on every rank (one allgather of a); large ones by
/// Householder panels on the matrix split along columns (two broadcasts of every panel).
/// Memory per rank: three blocks of a, and r where that is replicated. Collective.
///
/// Differentiable in modes "reduced" and "r" if the first min(m, n) columns are independent.
/// @throws ValueError for fewer than 2 dimensions or an unknown mode
QRFactors qr(const DNDarray& a, const std::string& mode);

/// The array itself if its type is float32, float64 or complex; float32 for the other types (LAPACK has no half
/// precision). Local.
DNDarray to_factorable(const DNDarray& x);

}  // namespace eh
