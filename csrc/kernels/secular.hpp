// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

/// The arithmetic of divide and conquer for symmetric tridiagonal matrices, in double precision. Torch-free.
///
/// Merging two halves leaves diag(d) + rho z z^T (Cuppen, Numer. Math. 36, 1981): deflation as in LAPACK's dlaed2,
/// roots of the secular equation relative to the nearest d, and weights z recomputed from the roots, which makes the
/// eigenvectors orthogonal (Gu and Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995).
namespace eh {

/// A plane rotation of two columns: x' = c x + s y, y' = c y - s x.
struct PlaneRotation {
  std::int64_t x;
  std::int64_t y;
  double c;
  double s;
};

/// Where a column of the two halves' eigenvectors is not zero.
enum class Half : std::uint8_t { First, Second, Both };

/// A rank-one modification after deflation. Columns are numbered as in the halves.
struct Merge {
  std::vector<PlaneRotation> rotations;  ///< in order, before anything else
  std::vector<std::int64_t> kept;        ///< columns that take part
  std::vector<Half> halves;              ///< of the kept columns
  std::vector<double> d;                 ///< of the kept columns, strictly ascending
  std::vector<double> z;                 ///< of the kept columns, none of them zero
  double rho;                            ///< positive
  std::vector<std::int64_t> deflated;    ///< columns that are eigenvectors already
  std::vector<double> values;            ///< their eigenvalues
};

/// @pre z has norm sqrt(2); the first `first` columns belong to the first half; rho >= 0
Merge deflate(std::vector<double> d, std::vector<double> z, std::int64_t first, double rho);

/// Roots as d[origin] + offset, which keeps differences to d accurate.
struct Roots {
  std::vector<std::int64_t> origin;
  std::vector<double> offset;
};

/// Roots begin .. end - 1, ascending.
Roots secular_roots(const Merge& merge, std::int64_t begin, std::int64_t end);

/// Multiplies weights[i] by the factors that roots begin .. end - 1 contribute to z[i] squared.
/// @pre roots holds all of them
void multiply_weights(const Merge& merge, const Roots& roots, std::int64_t begin, std::int64_t end,
                      std::vector<double>& weights);

/// Normalised eigenvectors of roots begin .. end - 1, one behind another, for the recomputed z.
void secular_vectors(const Merge& merge, const Roots& roots, const std::vector<double>& z, std::int64_t begin,
                     std::int64_t end, double* out);

/// Eigenvalues begin .. end - 1, ascending, of the tridiagonal matrix with diagonal d and off-diagonal e.
std::vector<double> bisect_eigenvalues(const std::vector<double>& d, const std::vector<double>& e,
                                       std::int64_t begin, std::int64_t end);

}  // namespace eh
