// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

/// Functions of matrices in the last two axes: where the matrices are when LAPACK works on them.
namespace eh {

/// The matrices themselves are split over ranks.
bool is_split_within(const DNDarray& x);

/// Every matrix whole on some rank: stacks are dealt out along axis 0, one matrix is replicated. Collective if
/// is_split_within(x).
DNDarray whole_matrices(const DNDarray& x);

/// One matrix, split over ranks, of more than `small` elements: too large to be replicated.
bool is_large_matrix(const DNDarray& x, std::int64_t small);

/// Two operands of one function of stacks, with whole matrices and batch axes that broadcast locally.
struct Stacks {
  at::Tensor a;
  at::Tensor b;
  LayoutPtr layout;  ///< of the broadcast batch axes and b's matrices
};

/// The first operand split along a batch axis decides; axis 0 of the batch if both are split within their matrices.
/// @pre at least 2 axes each. @throws ValueError if the batch axes do not broadcast. Collective.
Stacks align_stacks(const DNDarray& a, const DNDarray& b, const char* fn);

}  // namespace eh
