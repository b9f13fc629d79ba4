// SPDX-License-Identifier: BSD-3-Clause
#include "ops/indexing.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "ops/gather.hpp"
#include "ops/index_axes.hpp"
#include "ops/manipulation.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// An array whose split axis has extent 1, on every rank. Collective: one broadcast.
DNDarray from_owner(const DNDarray& x) {
  if (!x.is_distributed() || needs_grad(x.local())) return resplit(x, kNoSplit);
  const int owner = x.layout().owner(0);
  const at::Tensor row =
      x.comm().rank() == owner ? x.local().contiguous() : x.local().new_empty(sizes(x.shape()));
  bcast(row, owner, x.comm());
  return {row, share(Layout::replicated(x.shape(), x.comm().size())), x.comm_ptr()};
}

/// Integer axes dropped, the arrays' axes put in their place, new axes inserted. Local but for a dropped split.
DNDarray arrange(const DNDarray& x, const AxisMap& map) {
  const bool loses_split = std::binary_search(map.dropped.begin(), map.dropped.end(), x.split());
  DNDarray out = loses_split ? from_owner(x) : x;
  if (!map.dropped.empty()) out = squeeze(out, map.dropped);
  if (!map.in_order()) out = permute(out, map.order);
  return map.added.empty() ? out : expand_dims(out, map.added);
}

DNDarray sliced(const DNDarray& x, const IndexPlan& plan) {
  const DNDarray out = slice_view(x, ascending_axes(plan));
  const std::vector<int> backward = backward_axes(plan);
  return backward.empty() ? out : flip(out, backward);
}

}  // namespace

DNDarray getitem(const DNDarray& x, const Key& key) {
  IndexPlan plan = plan_key(x, key);
  if (key.arrays.empty() || is_mask(key)) {
    DNDarray out = sliced(x, plan);
    if (is_mask(key)) out = select_mask(out, key.arrays[0], plan.arrays[0].axis);
    return arrange(out, AxisMap(plan, mask_labels(plan)));
  }
  const ArrayKey arrays = array_key(x, key, plan);
  const DNDarray part = sliced(x, plan);
  const DNDarray out =
      gather_at(arrays.fresh.empty() ? part : expand_dims(part, arrays.fresh), arrays.indices);
  return arrange(out, AxisMap(plan, arrays.labels));
}

}  // namespace eh
