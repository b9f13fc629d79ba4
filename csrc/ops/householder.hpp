// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <tuple>

#include "array/dndarray.hpp"

/// The two factorisations behind qr: on blocks, without gradients, signs as LAPACK gives them.
namespace eh {

struct Factors {
  DNDarray q;  ///< empty (m, 0) where q was not asked for
  DNDarray r;
};

/// torch's QR of whole matrices. In complex64 LAPACK makes NaN of dependent columns, whose remainders underflow:
/// such matrices are factored in complex128. Local, differentiable.
std::tuple<at::Tensor, at::Tensor> lapack_qr(const at::Tensor& a, const char* mode);

/// QR of a tall matrix split along rows: q split alike, or (m, 0), and r replicated. Any number of rows per rank. Collective.
/// @pre a is (m, n), m >= n, split 0
Factors tall_skinny_qr(const DNDarray& a, bool want_q);

/// QR of any split matrix by Householder panels: q (m, q_columns) and r (r_rows, n) split along columns.
///
/// Columns are dealt out in turn. Every panel is broadcast by its owner for the update of the columns behind it, and
/// again, backwards, to form q. Reflections of a panel are applied together (Schreiber and Van Loan, SIAM J. Sci. Stat.
/// Comput. 10, 1989), t by its inverse (Puglisi, SIAM J. Sci. Stat. Comput. 13, 1992).
/// @pre a is (m, n); q_columns is 0, min(m, n) or m; r_rows is min(m, n) or m
Factors householder_qr(const DNDarray& a, std::int64_t q_columns, std::int64_t r_rows);

}  // namespace eh
