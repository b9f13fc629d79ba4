// SPDX-License-Identifier: BSD-3-Clause
#include "array/edges.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include "array/tensor_comm.hpp"

namespace eh {
namespace {

/// The global indices shown along an axis of `n`.
std::vector<std::int64_t> shown(std::int64_t n, std::int64_t edge) {
  std::vector<std::int64_t> indices;
  const bool all = n <= 2 * edge;
  for (std::int64_t i = 0; i < (all ? n : edge + 1); ++i) indices.push_back(i);
  if (!all)
    for (std::int64_t i = n - edge; i < n; ++i) indices.push_back(i);
  return indices;
}

at::Tensor select(const at::Tensor& t, int axis, const std::vector<std::int64_t>& indices) {
  at::Tensor index = t.new_empty({static_cast<std::int64_t>(indices.size())}, at::kLong);
  index.copy_(at::from_blob(const_cast<std::int64_t*>(indices.data()), index.sizes(), at::kLong));
  return t.index_select(axis, index);
}

}  // namespace

at::Tensor gather_edges(const DNDarray& x, std::int64_t edge) {
  at::Tensor part = x.local().detach();
  const Layout& layout = x.layout();
  for (int axis = 0; axis < x.ndim(); ++axis)
    if (axis != x.split() || !x.is_distributed()) part = select(part, axis, shown(part.size(axis), edge));
  if (!x.is_distributed()) return part;

  std::vector<std::int64_t> mine;
  Counts counts(static_cast<std::size_t>(x.comm().size()), 0);
  const int me = x.comm().rank();
  for (const std::int64_t index : shown(x.shape()[static_cast<std::size_t>(x.split())], edge)) {
    const int owner = layout.owner(index);
    ++counts[static_cast<std::size_t>(owner)];
    if (owner == me) mine.push_back(index - layout.offset(me));
  }
  return allgather(select(part, x.split(), mine), x.split(), counts, x.comm());
}

}  // namespace eh
