// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <c10/core/Scalar.h>

#include <utility>
#include <vector>

#include "array/dndarray.hpp"
#include "layout/moves.hpp"

/// Arrays with more entries along an axis, and windows and diagonals of arrays. All differentiable.
namespace eh {

// growing.cpp
/// Rows of an axis moved (or copied) to places of an axis of `extent` entries; those that no move writes are zero.
/// The split stays, balanced. Collective on the split axis: one alltoallv.
DNDarray move_to(const DNDarray& x, int axis, std::int64_t extent, const std::vector<Move>& moves);

/// The three behind one another along an axis, in x's dtype. On the split axis x's rows stay where they are: the
/// first rank gets the ones before, the last those behind, the only ones that travel.
/// @pre shapes agree but for the axis
DNDarray attach(const DNDarray& before, const DNDarray& x, const DNDarray& after, int axis);

/// (before, after) entries of one value around every axis. The split's go to the first and the last rank. Local.
DNDarray pad_constant(const DNDarray& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths,
                      const at::Scalar& value);

/// Every entry of an axis several times in a row; rows stay on their rank. Local.
DNDarray repeat(const DNDarray& x, std::int64_t times, int axis);
/// Entry i of an axis times[i] times. Collective on the split axis: one number per rank, and times redistributed.
DNDarray repeat_each(const DNDarray& x, const DNDarray& times, int axis);

// tile.cpp
/// The array times[k] times along axis k; memory of its own. Repeated along the split it is balanced: one alltoallv, or
/// one allgather of x if every rank's part of the result holds all of it.
DNDarray tile(const DNDarray& x, std::vector<std::int64_t> times);

// diagonals.cpp
/// Diagonals of two axes, along a new last axis; it is split, as rows fall, if one of the two is. Local.
DNDarray diagonal(const DNDarray& x, std::int64_t offset, int axis1, int axis2);
/// The matrix with a 1-D array on a diagonal; split 0 if the array is split. Collective: at most one alltoallv.
DNDarray diagonal_matrix(const DNDarray& x, std::int64_t offset);

// windows.cpp
/// Windows of `size` entries of an axis, one every `step`, along a new last axis. A rank has the windows that start
/// in its rows. Collective on the split axis: one halo of size - 1 rows.
DNDarray windows(const DNDarray& x, int axis, std::int64_t size, std::int64_t step);

}  // namespace eh
