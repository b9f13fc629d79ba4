// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

/// Parts of matrices and products of short vectors.
namespace eh {

/// Diagonal `offset` of the matrices in the last two axes, as the last axis. Split as x along a batch axis; split
/// along the diagonal, with the owners of its entries, if x is split within the matrices. Local, a view.
DNDarray matrix_diagonal(const DNDarray& x, std::int64_t offset);

/// Cross products of the 3-vectors along `axis` of the broadcast shape. Collective only for different layouts.
/// @pre neither operand is split along `axis`
DNDarray cross(const DNDarray& a, const DNDarray& b, int axis);

}  // namespace eh
