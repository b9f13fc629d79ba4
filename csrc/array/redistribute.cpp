// SPDX-License-Identifier: BSD-3-Clause
#include "array/redistribute.hpp"

#include "array/autograd.hpp"
#include "base/error.hpp"
#include "layout/moves.hpp"

namespace eh {

DNDarray redistribute(const DNDarray& x, const LayoutPtr& to) {
  if (x.layout() == *to) return x;
  if (x.comm().size() == 1) return {x.local(), to, x.comm_ptr()};
  return {redistribute_local(x.local(), x.layout_ptr(), to, x.comm_ptr()), to, x.comm_ptr()};
}

DNDarray resplit(const DNDarray& x, int split) {
  if (x.split() == split && x.layout().is_balanced()) return x;
  return redistribute(x, share(Layout::balanced(x.shape(), split, x.comm().size())));
}

DNDarray balance(const DNDarray& x) { return resplit(x, x.split()); }

Halo exchange_halo(const DNDarray& x, std::int64_t prev, std::int64_t next, bool periodic) {
  const bool alone = x.comm().size() == 1 && !periodic;
  if (!x.layout().is_split() || alone || prev + next == 0) return {x.local(), 0, 0};
  const HaloPlan plan = plan_halo(x.layout().counts(), prev, next, periodic);
  const auto me = static_cast<std::size_t>(x.comm().rank());
  at::Tensor extended =
      move_rows(x.local(), x.split(), x.layout().counts(), plan.counts, plan.moves, x.comm_ptr());
  return {std::move(extended), plan.prev[me], plan.next[me]};
}

}  // namespace eh
