// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/redistribute.hpp"

/// Arrays of integers that index axes of one array together, and who has what they name.
namespace eh {

/// Broadcast against each other; entry k of the result is at (arrays[0][k], arrays[1][k], ...) on `axes`.
struct IndexArrays {
  std::vector<int> axes;         ///< ascending
  std::vector<DNDarray> arrays;  ///< int64; each may be split
};

/// Shape that the arrays broadcast to. @throws IndexError, with NumPy's words
Shape index_shape(const IndexArrays& indices);

/// The arrays as int64, negative entries counted from the end.
/// @throws IndexError, on every rank, for an entry out of bounds. Collective if an array is split: one number.
IndexArrays checked_indices(const Shape& shape, const IndexArrays& indices);

/// First axis of the index in the result: where its axes were if they are neighbours, else 0.
int index_place(const std::vector<int>& axes);

/// The arrays under one layout: that of the first split one; for arrays that every rank has, the longest axis is
/// split if `x_is_indexed_on_split`.
Aligned align_indices(const DNDarray& x, const IndexArrays& indices);

/// Layout of what the arrays select: x's if it is split beside the indexed axes, else that of the index.
Layout selected_layout(const DNDarray& x, const std::vector<int>& axes, const Layout& index);

/// The indexed axes, those of the split first: positions in a block do not depend on other ranks' extents.
std::vector<std::int64_t> split_first(const std::vector<int>& axes, int split);

/// x is split along one of the axes, over several ranks.
bool indexed_on_split(const DNDarray& x, const std::vector<int>& axes);

/// Positions on the indexed axes of one block, flat (in the order of split_first), as one index per axis.
std::vector<at::Tensor> unravel(const at::Tensor& position, const at::Tensor& block,
                                const std::vector<std::int64_t>& axes);

/// Flat positions on the axes of an array that is whole there. Local.
at::Tensor flat_positions(const std::vector<at::Tensor>& arrays, const Shape& extents);

/// Who asks whom for what: told from the side of one rank.
struct IndexRoute {
  at::Tensor asked;  ///< flat positions in the own block, by the rank that asks, in the order it asks
  Counts asked_counts;
  Counts wanted_counts;  ///< own items of the index by owner
  at::Tensor place;  ///< place of every own item among those sorted by owner; undefined if it is its number
};

/// @pre indexed_on_split(x, axes); `aligned` is split
/// Collective, unless every rank has the whole index: numbers of items in one alltoall, positions in one alltoallv.
IndexRoute route_index(const DNDarray& x, const IndexArrays& indices, const Aligned& aligned);

/// The index of rank `rank` alone, on all ranks. Collective.
IndexArrays turn_of(const IndexArrays& indices, const Aligned& aligned, int rank);

}  // namespace eh
