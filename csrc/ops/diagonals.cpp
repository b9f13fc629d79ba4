// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <algorithm>

#include "base/error.hpp"
#include "ops/growing.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

/// Entries of a diagonal per rank: those of `n` rows from `first` that each rank owns.
Rows shares(const Layout& layout, std::int64_t first, std::int64_t n) {
  Rows counts;
  for (int r = 0; r < layout.nranks(); ++r) {
    const std::int64_t begin = std::max(first, layout.offset(r));
    const std::int64_t end = std::min(first + n, layout.offset(r + 1));
    counts.push_back(std::max<std::int64_t>(end - begin, 0));
  }
  return counts;
}

/// Number of entries on a diagonal of a rows x columns matrix.
std::int64_t length_of(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  const std::int64_t n = offset >= 0 ? std::min(rows, columns - offset) : std::min(rows + offset, columns);
  return std::max<std::int64_t>(n, 0);
}

/// torch counts offsets in 64 bits but refuses a start far outside an empty block; both mean an empty diagonal.
std::int64_t clamped(std::int64_t offset, std::int64_t rows, std::int64_t columns) {
  return std::clamp(offset, -rows, columns);
}

}  // namespace

DNDarray diagonal(const DNDarray& x, std::int64_t offset, int axis1, int axis2) {
  EH_CHECK(x.ndim() >= 2, ValueError, "diagonal: needs at least 2 dimensions, the array has ", x.ndim());
  axis1 = normalize_axis(axis1, x.ndim(), "diagonal");
  axis2 = normalize_axis(axis2, x.ndim(), "diagonal");
  EH_CHECK(axis1 != axis2, ValueError, "diagonal: both axes are ", axis1, "; they must differ");
  const std::int64_t n = length_of(x.shape()[at(axis1)], x.shape()[at(axis2)], offset);
  Shape shape;
  int split = kNoSplit;
  for (int axis = 0; axis < x.ndim(); ++axis) {
    if (axis == axis1 || axis == axis2) continue;
    if (axis == x.split()) split = static_cast<int>(shape.size());
    shape.push_back(x.shape()[at(axis)]);
  }
  shape.push_back(n);
  std::int64_t own = offset;
  Layout layout = Layout::replicated(shape, x.comm().size());
  if (split != kNoSplit) {
    layout = x.layout().with_shape(shape, split);
  } else if (x.layout().is_split()) {
    const bool rows = x.split() == axis1;
    const std::int64_t first = std::max<std::int64_t>(rows ? -offset : offset, 0);
    const std::int64_t before = x.layout().offset(x.comm().rank());
    own = offset + (rows ? before : -before);
    layout = Layout::with_counts(shape, x.ndim() - 2, shares(x.layout(), first, n));
  }
  const at::Tensor& block = x.local();
  return {block.diagonal(clamped(own, block.size(axis1), block.size(axis2)), axis1, axis2),
          share(std::move(layout)), x.comm_ptr()};
}

DNDarray diagonal_matrix(const DNDarray& x, std::int64_t offset) {
  EH_CHECK(x.ndim() == 1, ValueError, "diag: needs an array of 1 or 2 dimensions, has shape ",
           to_string(x.shape()));
  const std::int64_t n = x.shape()[0] + std::abs(offset);
  const std::int64_t first = std::max<std::int64_t>(-offset, 0);  // row of entry 0
  const DNDarray rows = offset == 0 ? x : move_to(x, 0, n, {{0, first, x.shape()[0]}});
  const std::int64_t before = rows.layout().is_split() ? rows.layout().offset(x.comm().rank()) : 0;
  const at::Tensor& own = rows.local();
  const at::Tensor block = own.new_zeros({own.size(0), n});
  // Row i holds its entry in column i + offset, if there is one.
  const std::int64_t shift = clamped(before + offset, block.size(0), n);
  const at::Tensor entries = own.narrow(0, std::max<std::int64_t>(-shift, 0), block.diagonal(shift).size(0));
  const LayoutPtr layout = share(rows.layout().with_shape({n, n}, rows.split()));
  return {block.diagonal_scatter(entries, shift), layout, x.comm_ptr()};
}

}  // namespace eh
