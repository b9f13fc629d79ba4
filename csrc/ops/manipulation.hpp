// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <vector>

#include "array/dndarray.hpp"

/// Shape and order of arrays. All differentiable. Axes and shifts may be negative; shapes are NumPy's.
///
/// A result without communication may share memory with the input where both have the same distribution.
namespace eh {

// reshape.cpp
/// The elements in C order under another shape; one extent may be -1. `split` (default: the input's, cut to the
/// new number of axes) is the result's. Collective: nothing where blocks stay, else at most a resplit before and
/// one after the exchange of the flat pieces that change ranks.
DNDarray reshape(const DNDarray& x, const Shape& shape, std::optional<int> split);

// permute.cpp
/// Axis i of the result is axis axes[i] of x; without axes, reversed. Local.
DNDarray permute(const DNDarray& x, const std::vector<int>& axes);
/// New axes of extent 1 at these places of the result. Local.
DNDarray expand_dims(const DNDarray& x, const std::vector<int>& axes);
/// Without the given axes, which have extent 1 (default: all such). Without its split axis the result is
/// replicated: one allgather.
DNDarray squeeze(const DNDarray& x, const std::optional<std::vector<int>>& axes);
/// Stretched to `shape` without copying. A split axis of extent 1 that is stretched is gathered first.
DNDarray broadcast_to(const DNDarray& x, const Shape& shape);

// flip.cpp
/// Reversed along the axes. Collective along the split: one alltoallv; the layout stays.
DNDarray flip(const DNDarray& x, const std::vector<int>& axes);
/// Rolled by shifts[i] along axes[i]; the layout stays. Collective along the split: one alltoallv.
DNDarray roll(const DNDarray& x, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes);
/// Rolled in C order as if 1-D. Collective.
DNDarray roll_flat(const DNDarray& x, std::int64_t shift);

// concatenate.cpp
/// Joined along an existing axis; the common dtype (promote). The first split array decides the split; along it
/// the result is balanced (one alltoallv), else the others take its layout.
DNDarray concatenate(const std::vector<DNDarray>& arrays, int axis);
/// Joined along a new axis.
DNDarray stack(const std::vector<DNDarray>& arrays, int axis);

// distribution.cpp
/// As resplit() and redistribute(), but never sharing memory with x: what a user writes into one must not show
/// up in a part of the other. Collective.
DNDarray resplit_copy(const DNDarray& x, int split);
DNDarray redistribute_copy(const DNDarray& x, std::vector<std::int64_t> counts);

}  // namespace eh
