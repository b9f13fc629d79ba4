// SPDX-License-Identifier: BSD-3-Clause
#include <numeric>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "layout/joining.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

Layout rows_layout(const DNDarray& x, std::size_t nrows, int axis) {
  Shape shape = x.shape();
  shape[at(axis)] = static_cast<std::int64_t>(nrows);
  if (axis == x.split()) return Layout::balanced(std::move(shape), axis, x.comm().size());
  return x.layout().with_shape(std::move(shape), x.split());
}

bool crosses_ranks(const DNDarray& x, int axis) { return axis == x.split() && x.is_distributed(); }

/// Rows of the block, picked in the order of the route and brought to where they go.
at::Tensor send_rows(const DNDarray& x, const Rows& rows, const Route& route, int axis) {
  const std::int64_t offset = x.layout().offset(x.comm().rank());
  Rows pick;
  for (std::int64_t k : route.send) pick.push_back(rows[at(k)] - offset);
  const at::Tensor packed = x.local().index_select(axis, index_tensor(pick, x.local()));
  return move_rows(packed, axis, route.plan.from, route.plan.to, route.plan.moves, x.comm_ptr());
}

/// What every target row gets when the target's rows are spread over ranks; in ascending order of k.
at::Tensor rows_to_owners(const DNDarray& value, const Rows& kept, const std::vector<int>& owner, int axis) {
  const DNDarray there = value.split() == axis ? value : resplit(value, axis);
  const std::vector<int> source = owners(kept, there.layout().counts());
  return send_rows(there, kept, plan_route(source, owner, value.comm().size(), value.comm().rank()), axis);
}

}  // namespace

DNDarray take_rows(const DNDarray& x, const Rows& rows, int axis) {
  const Layout layout = rows_layout(x, rows.size(), axis);
  if (!crosses_ranks(x, axis))
    return {x.local().index_select(axis, index_tensor(rows, x.local())), share(layout), x.comm_ptr()};
  Rows all(rows.size());
  std::iota(all.begin(), all.end(), 0);
  const int me = x.comm().rank();
  const Route route =
      plan_route(owners(rows, x.layout().counts()), owners(all, layout.counts()), x.comm().size(), me);
  const at::Tensor arrived = send_rows(x, rows, route, axis);
  Rows order(route.arrive.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[at(route.arrive[i] - layout.offset(me))] = static_cast<std::int64_t>(i);
  return {arrived.index_select(axis, index_tensor(order, x.local())), share(layout), x.comm_ptr()};
}

void put_rows(const DNDarray& x, const Rows& rows, int axis, const DNDarray& value) {
  at::Tensor target = x.local();
  const Rows kept = last_occurrences(rows);
  const bool one_for_all = value.ndim() == 0 || (value.shape()[at(axis)] == 1 && rows.size() != 1);
  const bool crosses = crosses_ranks(x, axis);
  Rows goal;
  for (std::int64_t k : kept) goal.push_back(rows[at(k)]);
  at::Tensor given;
  if (crosses) {
    const std::vector<int> owner = owners(goal, x.layout().counts());
    given = one_for_all ? enter_partial(resplit(value, kNoSplit).local(), x.comm_ptr())
                        : rows_to_owners(value, kept, owner, axis);
    Rows own;
    for (std::size_t i = 0; i < goal.size(); ++i) {
      if (owner[i] == x.comm().rank()) own.push_back(goal[i] - x.layout().offset(x.comm().rank()));
    }
    goal = std::move(own);
  } else {
    given = spread(value, rows_layout(x, rows.size(), axis));
    if (!one_for_all) given = given.index_select(axis, index_tensor(kept, given));
  }
  target.index_put_(advanced_index({index_tensor(goal, target)}, axis), given.to(target.scalar_type()));
}

}  // namespace eh
