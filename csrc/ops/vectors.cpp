// SPDX-License-Identifier: BSD-3-Clause
#include "ops/vectors.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_cross_ops.h>

#include <algorithm>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/types.hpp"

namespace eh {
namespace {

/// No entry of any diagonal of a block's matrices, in the graph: what made the block may have an adjoint of all ranks.
at::Tensor no_diagonal(const at::Tensor& block) { return block.diagonal(0, -2, -1).narrow(-1, 0, 0); }

}  // namespace

DNDarray matrix_diagonal(const DNDarray& x, std::int64_t offset) {
  EH_CHECK(x.ndim() >= 2, ValueError, "diagonal: needs at least 2 dimensions, the array has ", x.ndim());
  const int nbatch = x.ndim() - 2;
  const Shape& all = x.shape();
  const std::int64_t rows = all[all.size() - 2];
  const std::int64_t columns = all.back();
  const std::int64_t first_row = std::max<std::int64_t>(0, -offset);
  const std::int64_t first_column = std::max<std::int64_t>(0, offset);
  const std::int64_t length = std::max<std::int64_t>(0, std::min(rows - first_row, columns - first_column));
  Shape shape(all.begin(), all.end() - 2);
  shape.push_back(length);
  const Layout& layout = x.layout();
  const int rank = x.comm().rank();
  if (!layout.is_split() || layout.split() < nbatch) {
    const LayoutPtr to = share(layout.is_split() ? layout.with_shape(shape, layout.split())
                                                 : Layout::replicated(shape, layout.nranks()));
    return {length == 0 ? no_diagonal(x.local()) : x.local().diagonal(offset, -2, -1), to, x.comm_ptr()};
  }
  const std::int64_t begin = layout.split() == nbatch ? first_row : first_column;
  std::vector<std::int64_t> counts;
  for (int r = 0; r < layout.nranks(); ++r) {
    const std::int64_t from = std::max(begin, layout.offset(r));
    const std::int64_t to = std::min(begin + length, layout.offset(r) + layout.count(r));
    counts.push_back(std::max<std::int64_t>(0, to - from));
  }
  const std::int64_t own = counts[static_cast<std::size_t>(rank)];
  const LayoutPtr to = share(Layout::with_counts(shape, nbatch, counts));
  if (own == 0) return {no_diagonal(x.local()), to, x.comm_ptr()};
  const std::int64_t shift = layout.split() == nbatch ? layout.offset(rank) : -layout.offset(rank);
  return {x.local().diagonal(offset + shift, -2, -1), to, x.comm_ptr()};
}

DNDarray cross(const DNDarray& a, const DNDarray& b, int axis) {
  const Aligned both = align({&a, &b}, "cross");
  const at::ScalarType type = promote_types(a.local().scalar_type(), b.local().scalar_type());
  const at::Tensor product =
      at::_ops::linalg_cross::call(cast(both.locals[0], type), cast(both.locals[1], type), axis);
  return {product, both.layout, both.comm};
}

}  // namespace eh
