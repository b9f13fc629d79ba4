// SPDX-License-Identifier: BSD-3-Clause
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/manipulation.hpp"

namespace eh {
namespace {

/// A block of its own, where `moved` still shows (part of) the block of `x`.
DNDarray detached_from(const DNDarray& x, const DNDarray& moved) {
  if (!moved.local().is_alias_of(x.local())) return moved;
  return moved.with_local(moved.local().clone(at::MemoryFormat::Contiguous));
}

}  // namespace

DNDarray resplit_copy(const DNDarray& x, int split) { return detached_from(x, resplit(x, split)); }

DNDarray redistribute_copy(const DNDarray& x, std::vector<std::int64_t> counts) {
  EH_CHECK(x.layout().is_split(), ValueError, "redistribute: the array has split None; resplit it first");
  EH_CHECK(static_cast<int>(counts.size()) == x.comm().size(), ValueError, "redistribute: ", counts.size(),
           " counts for ", x.comm().size(), " ranks; give one per rank");
  const LayoutPtr to = share(Layout::with_counts(x.shape(), x.split(), std::move(counts)));
  return detached_from(x, redistribute(x, to));
}

}  // namespace eh
