// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ops/index_arrays.hpp"

/// Elements named by arrays of integers on any axes.
namespace eh {

/// x indexed on some axes together; the axes of the index stand at index_place(). Differentiable.
///
/// Split of the result: x's if it is beside the indexed axes; else the index's; else, for an index that every rank
/// has on the split axis, the longest axis of the index, balanced.
/// Collective: nothing if x's split is beside and the index replicated, or x is replicated; one alltoallv of the
/// result on the split axis, and one of the positions before it if the index is split; a split index beside the
/// split goes round, one rank's part at a time.
DNDarray gather_at(const DNDarray& x, const IndexArrays& indices);

// along.cpp: one index per line of the array
/// Entry [i, j, k] is x[i, index[i, j, k], k]; shapes broadcast beside the axis. Differentiable.
///
/// Split of the result: x's unless it is the axis, else the index's, else the longest axis.
/// Collective on the split axis: as gather_at.
DNDarray take_along(const DNDarray& x, const DNDarray& index, int axis);

/// How an element that is named more than once is written.
enum class Write : std::uint8_t {
  Last,  ///< the last in C order of the index stays
  Add,   ///< all are added to what is there
};

/// Writes `value` where gather_at reads, into x's memory. Differentiable in value. Collective: as gather_at, backwards.
/// @pre value is 0-d or broadcasts, axis by axis, to gather_at(x, indices)
void put_at(const DNDarray& x, const IndexArrays& indices, const DNDarray& value, Write write);

/// Writes where take_along reads, into x's memory; returns x.
DNDarray put_along(const DNDarray& x, const DNDarray& index, const DNDarray& value, int axis, Write write);

}  // namespace eh
