// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include "layout/redistribution.hpp"

namespace eh {
namespace {

using Kind = Redistribution::Kind;
using Transfers = std::vector<Transfer>;

Layout counts(Shape shape, int split, std::vector<std::int64_t> extents) {
  return Layout::with_counts(std::move(shape), split, std::move(extents));
}

}  // namespace

TEST_CASE("which way an array takes to another layout") {
  const Layout whole = Layout::replicated({6, 4}, 2);
  const Layout rows = Layout::balanced({6, 4}, 0, 2);
  const Layout columns = Layout::balanced({6, 4}, 1, 2);
  CHECK(plan_redistribution(rows, rows, 0).kind == Kind::Nothing);
  CHECK(plan_redistribution(whole, rows, 1).kind == Kind::Slice);
  CHECK(plan_redistribution(columns, whole, 1).kind == Kind::Gather);
  CHECK(plan_redistribution(rows, columns, 1).kind == Kind::Exchange);
  CHECK(plan_redistribution(rows, counts({6, 4}, 0, {1, 5}), 1).kind == Kind::Exchange);
}

TEST_CASE("transfers between two splits: ranges of the new axis go out, ranges of the old one come in") {
  const Layout from = counts({7, 5}, 0, {4, 0, 3});
  const Layout to = counts({7, 5}, 1, {2, 3, 0});
  struct Case {
    int rank;
    Transfers sends, recvs;
  };
  const Case cases[] = {
      {0, {{0, 0, 2}, {1, 2, 3}}, {{0, 0, 4}, {2, 4, 3}}},
      {1, {}, {{0, 0, 4}, {2, 4, 3}}},
      {2, {{0, 0, 2}, {1, 2, 3}}, {}},
  };
  for (const Case& c : cases) {
    const Redistribution plan = plan_redistribution(from, to, c.rank);
    CHECK(plan.send_axis == 1);
    CHECK(plan.recv_axis == 0);
    CHECK(plan.sends == c.sends);
    CHECK(plan.recvs == c.recvs);
  }
}

TEST_CASE("transfers along one axis: rows that stay on their rank are among them") {
  const Layout from = counts({6}, 0, {4, 0, 2});
  const Layout to = counts({6}, 0, {1, 2, 3});
  const Redistribution first = plan_redistribution(from, to, 0);
  CHECK(first.sends == Transfers{{0, 0, 1}, {1, 1, 2}, {2, 3, 1}});
  CHECK(first.recvs == Transfers{{0, 0, 1}});
  const Redistribution last = plan_redistribution(from, to, 2);
  CHECK(last.sends == Transfers{{2, 0, 2}});
  CHECK(last.recvs == Transfers{{0, 0, 1}, {2, 1, 2}});
}

TEST_CASE("every element arrives once, for all pairs of layouts") {
  const Shape shape = {5, 6, 3};
  std::vector<LayoutPtr> layouts;
  for (int split = 0; split < 3; ++split) {
    layouts.push_back(share(Layout::balanced(shape, split, 4)));
    const std::int64_t n = shape[static_cast<std::size_t>(split)];
    layouts.push_back(share(counts(shape, split, {0, n - 1, 0, 1})));
  }
  for (const LayoutPtr& from : layouts) {
    for (const LayoutPtr& to : layouts) {
      if (from->same_distribution(*to)) continue;
      std::int64_t sent = 0;
      std::int64_t received = 0;
      for (int rank = 0; rank < 4; ++rank) {
        const Redistribution plan = plan_redistribution(*from, *to, rank);
        const auto elements = [&](const Shape& block, int axis, const Transfers& transfers) {
          std::int64_t rows = 0;
          for (const Transfer& t : transfers) rows += t.length;
          const std::int64_t extent = block[static_cast<std::size_t>(axis)];
          return extent == 0 ? 0 : numel(block) / extent * rows;
        };
        sent += elements(from->lshape(rank), plan.send_axis, plan.sends);
        received += elements(to->lshape(rank), plan.recv_axis, plan.recvs);
        CHECK(elements(to->lshape(rank), plan.recv_axis, plan.recvs) == numel(to->lshape(rank)));
      }
      CHECK(sent == numel(shape));
      CHECK(received == numel(shape));
    }
  }
}

TEST_CASE("plans are computed once") {
  const LayoutPtr from = share(Layout::balanced({6, 4}, 0, 2));
  const LayoutPtr to = share(Layout::balanced({6, 4}, 1, 2));
  const auto plan = redistribution_of(from, to, 0);
  CHECK(redistribution_of(share(Layout::balanced({6, 4}, 0, 2)), to, 0) == plan);
  CHECK(redistribution_of(from, to, 1) != plan);
  CHECK(redistribution_of(to, from, 0) != plan);
}

TEST_CASE("rounds cover every rank's share of the axis in front once") {
  const Layout rows = counts({7, 9}, 0, {5, 0, 2});
  const Layout columns = Layout::balanced({7, 9}, 1, 3);
  for (const auto& [from, to] : {std::pair(rows, columns), std::pair(columns, rows)}) {
    for (int rank = 0; rank < 3; ++rank) {
      std::int64_t at = rows.offset(rank);
      for (int round = 0; round < 4; ++round) {
        const Round part = round_of(from, to, round, 4);
        CHECK(part.axis == 0);
        CHECK(part.of[static_cast<std::size_t>(rank)].begin == at);
        at = part.of[static_cast<std::size_t>(rank)].end;
      }
      CHECK(at == rows.offset(rank) + rows.count(rank));
    }
  }
}

}  // namespace eh
