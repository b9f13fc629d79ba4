// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

namespace eh {

/// NumPy's matmul: matrices in the last two axes, broadcast batch axes, 1-D operands as rows and columns.
///
/// Split of the result, by the axes of the product (batch, m, n; k is summed):
/// a split batch axis stays (a's before b's); else m if a is split along m, or b along k with a replicated;
/// else n; replicated if both are. A vector operand has no m or n: the other one is split instead.
/// Collective; cost: array/contraction.hpp.
/// @throws ValueError for 0-d operands, inner extents that differ, batch axes that do not broadcast
DNDarray matmul(const DNDarray& a, const DNDarray& b);

/// matmul of matrices (ndim >= 2) of one inexact dtype, with the result under a layout of the caller's. Collective.
DNDarray matmul_to(const DNDarray& a, const DNDarray& b, const LayoutPtr& layout);

/// Last two axes swapped; the split follows its axis. Local.
DNDarray matrix_transpose(const DNDarray& x);
/// The same, conjugated. Local.
DNDarray adjoint(const DNDarray& x);

/// Element type in which products of `dtype` with inner extent `k` are computed and added up over ranks: exact for
/// bool and small integers (in floating point, which BLAS has), the type itself for the rest.
at::ScalarType product_type(at::ScalarType dtype, std::int64_t k, bool distributed);

}  // namespace eh
