// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "ops/householder.hpp"

namespace eh {

/// True where products of matrices are faster than reflectors: many rows, few columns.
bool prefers_cholesky_qr(const DNDarray& a);

/// QR of a tall matrix split along rows by CholeskyQR2 (Yamamoto, Nakatsukasa, Yanagisawa, Fukaya, ETNA 44, 2015):
/// q split alike, or (m, 0), and r replicated. Nothing if the columns are so close to dependent that q would not be
/// orthonormal to working accuracy, or not finite; the second Gram matrix, which must be near 1, tells.
///
/// Collective: two allreduces of n * n + 1 elements. Memory: two blocks.
/// @pre a is (m, n), m >= n > 0, split 0, without gradients
std::optional<Factors> cholesky_qr(const DNDarray& a, bool want_q);

}  // namespace eh
