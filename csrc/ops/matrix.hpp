// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"

/// Small matrix functions: one local operation, at most one reduction of the result's size.
namespace eh {

/// a_i b_j of two 1-D arrays, split as matmul of a column and a row. Collective: matmul's cost.
DNDarray outer(const DNDarray& a, const DNDarray& b);

/// Sum of conj(a) b along an axis of the broadcast shape. Collective if the result's split is gone.
DNDarray vecdot(const DNDarray& a, const DNDarray& b, int axis);

/// Sum of conj(a) b over all elements of arrays of one shape: 0-d, replicated. Collective.
DNDarray vdot(const DNDarray& a, const DNDarray& b);

/// Sum of the diagonal `offset` of the matrices in axes `axis1`, `axis2`; integers of less than 64 bits give int64.
/// Replicated if one of these axes is split, else split as x. Collective.
DNDarray trace(const DNDarray& x, int offset, int axis1, int axis2);

/// The elements on and below (tril), on and above (triu) diagonal k of the matrices in the last two axes; zero
/// elsewhere. A 1-D array counts as a row that is repeated, as in NumPy. Local.
DNDarray tril(const DNDarray& x, std::int64_t k);
DNDarray triu(const DNDarray& x, std::int64_t k);

/// (sum of |x|^ord)^(1/ord) over sorted `axes`; the largest and smallest |x| for +-inf, the number of non-zeros for 0.
/// Real floating point: integers give float32. Split as a reduction's result. Collective.
DNDarray vector_norm(const DNDarray& x, double ord, const std::vector<int>& axes, bool keepdims);

}  // namespace eh
