// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <utility>

#include "array/dndarray.hpp"

/// Order along an axis, by NumPy's rule: NaN last, complex numbers lexicographically, equal elements in the order of
/// their indices. Descending is the exact reverse of that order but for equal elements. Values are differentiable.
namespace eh {

/// What a caller asked for.
struct Sorted {
  std::optional<DNDarray> values;
  std::optional<DNDarray> indices;  ///< int64, along the axis, global
};

/// Sorts along `axis`, or the flattened array (split 0 if x is split). The result has the layout of the input,
/// balanced or not.
///
/// Along the split: sample sort with exact splitters (found by bisection of the keys' bits on the sorted blocks:
/// bits / 8 allreduces of 255 counts per rank), one alltoallv and a merge; two alltoallv instead, which bring whole
/// lines together and back, where there are at least 2 lines per rank. Collective then, else local.
/// Source: Cheng, Shah, Gilbert, Edelman, "A novel parallel sorting algorithm for contemporary architectures", 2007.
Sorted sort(const DNDarray& x, std::optional<int> axis, bool descending, bool values, bool indices);

/// The k first elements of the order along `axis` with their indices; equal ones by index. The split stays.
///
/// Along the split: one allgather of k candidates per rank; a sort where they would be more than a block.
/// @throws ValueError unless 0 <= k <= extent
std::pair<DNDarray, DNDarray> topk(const DNDarray& x, std::int64_t k, int axis, bool largest);

namespace detail {

/// A block as a contiguous (lines, length) tensor on the CPU, outside autograd; the axis comes last.
at::Tensor to_lines(const at::Tensor& local, int axis);
/// Back into a block of this shape, but for the extent of the axis, on the device of `like`.
at::Tensor from_lines(const at::Tensor& lines, const at::Tensor& like, int axis);
/// True if the elements along the axis are spread over ranks.
bool crosses_ranks(const DNDarray& x, int axis);
/// x's axis first and the others as one; split along the first. Local, differentiable. @pre x.split() == axis
DNDarray as_rows(const DNDarray& x, int axis);
/// The way back: `rows` has the extents of as_rows(x) but perhaps the first.
DNDarray from_rows(const DNDarray& rows, const DNDarray& x, int axis);
/// sort() where no line is spread over ranks.
Sorted sort_local(const DNDarray& x, int axis, bool descending, bool values, bool indices);

/// A sorted block of one line.
struct SortedLine {
  at::Tensor values;
  at::Tensor indices;
};
/// Sorts one line that is spread over ranks as `counts` says. Collective.
SortedLine sort_line(const at::Tensor& local, const std::vector<std::int64_t>& counts, const CommPtr& comm,
                     bool descending, bool indices);

}  // namespace detail
}  // namespace eh
