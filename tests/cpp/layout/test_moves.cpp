// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>

#include "execute.hpp"
#include "layout/joining.hpp"
#include "layout/moves.hpp"

using namespace eh;           // NOLINT
using namespace eh::testing;  // NOLINT

TEST_CASE("a change of counts sends only what changes hands") {
  const MovePlan first = plan_moves({4, 1}, {2, 3}, identity_moves(5), 0);
  CHECK(first.sends == std::vector<Transfer>{{0, 0, 2}, {1, 2, 2}});
  CHECK(first.recvs == std::vector<Transfer>{{0, 0, 2}});
  const MovePlan second = plan_moves({4, 1}, {2, 3}, identity_moves(5), 1);
  CHECK(second.sends == std::vector<Transfer>{{1, 0, 1}});
  CHECK(second.recvs == std::vector<Transfer>{{0, 0, 2}, {1, 2, 1}});
}

TEST_CASE("tables of moves") {
  CHECK(identity_moves(0).empty());
  CHECK(roll_moves(5, 2) == std::vector<Move>{{0, 2, 3}, {3, 0, 2}});
  CHECK(roll_moves(5, -1) == std::vector<Move>{{0, 4, 1}, {1, 0, 4}});
  CHECK(roll_moves(5, 10) == identity_moves(5));
  CHECK(roll_moves(0, 3).empty());
  CHECK(reverse_blocks_moves({2, 0, 1}) == std::vector<Move>{{0, 1, 2}, {2, 0, 1}});
}

TEST_CASE("halos are cut off at the ends, or wrap around") {
  const HaloPlan open = plan_halo({2, 0, 3}, 3, 1, false);
  CHECK(open.prev == Rows{0, 0, 2});
  CHECK(open.next == Rows{1, 0, 0});
  CHECK(open.counts == Rows{3, 0, 5});
  const HaloPlan ring = plan_halo({2, 0, 3}, 3, 1, true);
  CHECK(ring.prev == Rows{3, 0, 3});
  CHECK(ring.counts == Rows{6, 0, 7});
  const auto blocks = execute(cut(count_up(5), {2, 0, 3}), {2, 0, 3}, ring.counts, ring.moves);
  CHECK(blocks[0] == Rows{2, 3, 4, 0, 1, 2});
  CHECK(blocks[2] == Rows{4, 0, 1, 2, 3, 4, 0});
}

TEST_CASE("random redistributions, rolls and flips put every row in its place") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const int nranks = static_cast<int>(draw(1, 6, random));
    const std::int64_t n = draw(0, 12, random);
    const Rows from = random_counts(n, nranks, random);
    const Rows to = random_counts(n, nranks, random);
    const Rows rows = count_up(n);
    CHECK(join(execute(cut(rows, from), from, to, identity_moves(n))) == rows);

    const std::int64_t shift = draw(-20, 20, random);
    Rows rolled = rows;
    if (n > 0) std::rotate(rolled.begin(), rolled.begin() + ((-shift % n) + n) % n, rolled.end());
    CHECK(join(execute(cut(rows, from), from, to, roll_moves(n, shift))) == rolled);

    std::vector<Rows> reversed = cut(rows, from);
    for (Rows& block : reversed) std::reverse(block.begin(), block.end());
    const Rows back(rows.rbegin(), rows.rend());
    CHECK(join(execute(reversed, from, to, reverse_blocks_moves(from))) == back);
  }
}

TEST_CASE("random halos hold the rows beside the block") {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    const int nranks = static_cast<int>(draw(1, 5, random));
    const std::int64_t n = draw(0, 9, random);
    const Rows from = random_counts(n, nranks, random);
    const Rows offsets = offsets_of(from);
    const bool periodic = draw(0, 1, random) == 1;
    const HaloPlan plan = plan_halo(from, draw(0, 12, random), draw(0, 12, random), periodic);
    const auto blocks = execute(cut(count_up(n), from), from, plan.counts, plan.moves);
    for (std::size_t r = 0; r < from.size(); ++r) {
      for (std::size_t i = 0; i < blocks[r].size(); ++i) {
        const std::int64_t row = offsets[r] - plan.prev[r] + static_cast<std::int64_t>(i);
        CHECK(blocks[r][i] == (periodic ? ((row % n) + n) % n : row));
      }
    }
  }
}

TEST_CASE("arrays are joined in their order") {
  const RowPlan plan = plan_join({{1, 2}, {0, 0}, {2, 0}});
  CHECK(plan.from == Rows{3, 2});
  CHECK(plan.to == Rows{3, 2});
  CHECK(plan.moves == std::vector<Move>{{0, 0, 1}, {1, 3, 2}, {3, 1, 2}});

  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    const int nranks = static_cast<int>(draw(1, 5, random));
    std::vector<Rows> parts;
    std::vector<Rows> blocks(static_cast<std::size_t>(nranks));
    std::int64_t total = 0;
    for (std::int64_t a = draw(1, 4, random); a > 0; --a) {
      const std::int64_t n = draw(0, 7, random);
      parts.push_back(random_counts(n, nranks, random));
      Rows rows = count_up(n);
      for (std::int64_t& row : rows) row += total;
      const std::vector<Rows> pieces = cut(rows, parts.back());
      for (std::size_t r = 0; r < blocks.size(); ++r)
        blocks[r].insert(blocks[r].end(), pieces[r].begin(), pieces[r].end());
      total += n;
    }
    const RowPlan joined = plan_join(parts);
    CHECK(join(execute(blocks, joined.from, joined.to, joined.moves)) == count_up(total));
    CHECK(joined.to == chunk_counts(total, nranks));
  }
}

TEST_CASE("routed items arrive in the order that is promised") {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    const int nranks = static_cast<int>(draw(1, 5, random));
    std::vector<int> source;
    std::vector<int> target;
    for (std::int64_t k = draw(0, 15, random); k > 0; --k) {
      source.push_back(static_cast<int>(draw(0, nranks - 1, random)));
      target.push_back(static_cast<int>(draw(0, nranks - 1, random)));
    }
    std::vector<Rows> sent;
    for (int r = 0; r < nranks; ++r) sent.push_back(plan_route(source, target, nranks, r).send);
    const RowPlan plan = plan_route(source, target, nranks, 0).plan;
    const auto arrived = execute(sent, plan.from, plan.to, plan.moves);
    for (int r = 0; r < nranks; ++r)
      CHECK(arrived[static_cast<std::size_t>(r)] == plan_route(source, target, nranks, r).arrive);
  }
  CHECK(owners({0, 4, 2}, {0, 3, 0, 2}) == std::vector<int>{1, 3, 1});
  CHECK(last_occurrences({5, 2, 5, 1, 2}) == Rows{2, 3, 4});
}
