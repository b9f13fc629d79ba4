// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "execute.hpp"
#include "layout/reflow.hpp"

using namespace eh;           // NOLINT
using namespace eh::testing;  // NOLINT

namespace {

/// Flat positions of the elements of every block, in the block's C order.
std::vector<Rows> blocks_of(const Layout& layout) {
  std::vector<Rows> blocks(static_cast<std::size_t>(layout.nranks()));
  std::int64_t inner = 1;
  for (int a = layout.split() + 1; a < layout.ndim(); ++a)
    inner *= layout.gshape()[static_cast<std::size_t>(a)];
  const std::int64_t extent = layout.gshape()[static_cast<std::size_t>(layout.split())];
  for (std::int64_t i = 0; i < layout.size(); ++i)
    blocks[static_cast<std::size_t>(layout.owner(i / inner % extent))].push_back(i);
  return blocks;
}

/// The moves applied to a block viewed as (before, from, behind): one lane of the middle axis after another.
std::vector<Rows> reflow(const ReshapePlan& plan) {
  std::vector<Rows> blocks = blocks_of(plan.source);
  if (plan.moves.empty()) return blocks;
  std::vector<Rows> out(blocks.size());
  for (std::size_t r = 0; r < out.size(); ++r)
    out[r].resize(static_cast<std::size_t>(plan.before * plan.to[r] * plan.behind));
  for (std::int64_t b = 0; b < plan.before; ++b) {
    for (std::int64_t c = 0; c < plan.behind; ++c) {
      const auto at = [&](std::int64_t row, std::int64_t n) {
        return static_cast<std::size_t>((b * n + row) * plan.behind + c);
      };
      std::vector<Rows> lane(blocks.size());
      for (std::size_t r = 0; r < blocks.size(); ++r)
        for (std::int64_t i = 0; i < plan.from[r]; ++i) lane[r].push_back(blocks[r][at(i, plan.from[r])]);
      lane = execute(lane, plan.from, plan.to, plan.moves);
      for (std::size_t r = 0; r < blocks.size(); ++r)
        for (std::int64_t i = 0; i < plan.to[r]; ++i)
          out[r][at(i, plan.to[r])] = lane[r][static_cast<std::size_t>(i)];
    }
  }
  return out;
}

/// A random way to write n as a product.
Shape random_shape(std::int64_t n, std::mt19937& random) {
  Shape shape;
  while (n > 1) {
    std::int64_t factor = draw(1, n, random);
    while (n % factor != 0) factor = draw(1, n, random);
    shape.push_back(factor);
    n /= factor;
  }
  if (shape.empty() || draw(0, 3, random) == 0) shape.insert(shape.begin(), 1);
  return shape;
}

}  // namespace

TEST_CASE("axes group where both shapes agree") {
  CHECK(axis_groups({2, 3, 4}, {6, 4}) == std::vector<AxisGroup>{{0, 2, 0, 1}, {2, 3, 1, 2}});
  CHECK(axis_groups({6}, {2, 3}) == std::vector<AxisGroup>{{0, 1, 0, 2}});
  CHECK(axis_groups({1, 5}, {5}) == std::vector<AxisGroup>{{0, 2, 0, 1}});
  CHECK(axis_groups({5}, {5, 1, 1}) == std::vector<AxisGroup>{{0, 1, 0, 3}});
  CHECK(axis_groups({4, 6}, {3, 8}) == std::vector<AxisGroup>{{0, 2, 0, 2}});
}

TEST_CASE("blocks stay where the split axis keeps its place") {
  const ReshapePlan cut_beside = plan_reshape(Layout::with_counts({4, 6}, 0, {1, 3}), {4, 2, 3}, 0);
  CHECK(cut_beside.moves.empty());
  CHECK(cut_beside.target == Layout::with_counts({4, 2, 3}, 0, {1, 3}));
  const ReshapePlan joined_before = plan_reshape(Layout::with_counts({2, 2, 5}, 2, {1, 4}), {4, 5}, 1);
  CHECK(joined_before.moves.empty());
  CHECK(joined_before.target == Layout::with_counts({4, 5}, 1, {1, 4}));
}

TEST_CASE("a flat array becomes rows: only the edges of blocks move") {
  const ReshapePlan plan = plan_reshape(Layout::balanced({12}, 0, 2), {3, 4}, 0);
  CHECK(plan.target == Layout::balanced({3, 4}, 0, 2));
  CHECK(plan.from == Rows{6, 6});
  CHECK(plan.to == Rows{8, 4});
  CHECK(plan_moves(plan.from, plan.to, plan.moves, 1).sends == std::vector<Transfer>{{0, 0, 2}, {1, 2, 4}});
}

TEST_CASE("a short leading axis does not collect the array on few ranks") {
  const ReshapePlan plan = plan_reshape(Layout::balanced({2, 1000}, 1, 8), {2000}, 0);
  CHECK(plan.source == Layout::balanced({2, 1000}, 1, 8));
  CHECK(plan.target == Layout::balanced({2000}, 0, 8));
  CHECK(plan.moves.size() < 40);
}

TEST_CASE("random reshapes keep C order") {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    const int nranks = static_cast<int>(draw(2, 5, random));
    const std::int64_t n = std::int64_t{1} << draw(0, 3, random);
    const std::int64_t size = n * (draw(0, 1, random) == 1 ? 15 : 3);
    const Shape from = random_shape(size, random);
    const Shape to = random_shape(size, random);
    const int split = static_cast<int>(draw(0, static_cast<std::int64_t>(from.size()) - 1, random));
    const int new_split = static_cast<int>(draw(0, static_cast<std::int64_t>(to.size()) - 1, random));
    const Rows counts = random_counts(from[static_cast<std::size_t>(split)], nranks, random);
    const ReshapePlan plan = plan_reshape(Layout::with_counts(from, split, counts), to, new_split);
    CAPTURE(to_string(from));
    CAPTURE(to_string(to));
    CAPTURE(split);
    CAPTURE(new_split);
    CHECK(plan.target.gshape() == to);
    CHECK(reflow(plan) == blocks_of(plan.target));
  }
}

TEST_CASE("one extent is worked out, a wrong size is refused") {
  CHECK(complete_shape({2, -1}, 6) == Shape{2, 3});
  CHECK(complete_shape({-1}, 0) == Shape{0});
  CHECK(complete_shape({}, 1) == Shape{});
  CHECK_THROWS_WITH_AS(complete_shape({4, 4}, 35),
                       "reshape: cannot reshape array of size 35 into shape (4, 4)", ValueError);
  CHECK_THROWS_AS(complete_shape({-1, -1}, 6), ValueError);
  CHECK_THROWS_AS(complete_shape({0, -1}, 0), ValueError);
  CHECK_THROWS_AS(complete_shape({-2, -3}, 6), ValueError);
  CHECK_THROWS_AS(complete_shape({4, -1}, 6), ValueError);
}
