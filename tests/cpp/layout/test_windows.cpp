// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "layout/windows.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;
constexpr Boundary kAll[] = {Boundary::Fill, Boundary::Wrap, Boundary::Symm, Boundary::Reflect,
                             Boundary::Edge};

/// Rows of the axis that the moves put into all windows, behind one another; -1 where none does.
Rows filled(const RowPlan& plan) {
  Rows out(static_cast<std::size_t>(std::accumulate(plan.to.begin(), plan.to.end(), std::int64_t{0})), -1);
  for (const Move& move : plan.moves) {
    for (std::int64_t i = 0; i < move.length; ++i)
      out[static_cast<std::size_t>(move.target + i)] = move.source + i;
  }
  return out;
}

}  // namespace

TEST_CASE("rows beyond the ends") {
  CHECK(row_at(-1, 3, Boundary::Fill) == -1);
  CHECK(row_at(2, 3, Boundary::Fill) == 2);
  CHECK(row_at(-1, 3, Boundary::Wrap) == 2);
  CHECK(row_at(7, 3, Boundary::Wrap) == 1);
  const Rows mirrored = {2, 1, 0, 0, 1, 2, 2, 1, 0, 0};
  const Rows reflected = {1, 2, 1, 0, 1, 2, 1, 0, 1, 2};
  const Rows edges = {0, 0, 0, 0, 1, 2, 2, 2, 2, 2};
  for (std::int64_t i = 0; i < 10; ++i) {
    CHECK(row_at(i - 3, 3, Boundary::Symm) == mirrored[static_cast<std::size_t>(i)]);
    CHECK(row_at(i - 3, 3, Boundary::Reflect) == reflected[static_cast<std::size_t>(i)]);
    CHECK(row_at(i - 3, 3, Boundary::Edge) == edges[static_cast<std::size_t>(i)]);
    CHECK(row_at(i - 3, 1, Boundary::Reflect) == 0);
  }
}

TEST_CASE("windows of all ranks, also far beyond the ends and empty") {
  const Rows from = {2, 0, 3};
  const std::vector<Window> windows = {{-4, 3}, {0, 0}, {1, 13}};
  for (const Boundary boundary : kAll) {
    const RowPlan plan = plan_windows(from, windows, boundary);
    CHECK(plan.to == Rows{7, 0, 12});
    Rows expected;
    for (const Window& window : windows) {
      for (std::int64_t at = window.begin; at < window.end; ++at) expected.push_back(row_at(at, 5, boundary));
    }
    CHECK(filled(plan) == expected);
  }
}

TEST_CASE("windows around blocks, also around none") {
  CHECK(windows_around({2, 0, 3}, 1, 2) == std::vector<Window>{{-1, 4}, {1, 4}, {1, 7}});
}

TEST_CASE("halo rows of all ranks: what surrounds each block, without the block") {
  struct Case {
    Rows counts;
    std::int64_t before, after;
  };
  // Halos wider than a neighbour's block and than the axis, ranks without rows, one side only.
  const std::vector<Case> cases = {
      {{3, 3}, 1, 1}, {{2, 1, 3}, 3, 2}, {{1, 0, 2}, 1, 2}, {{0, 0, 2}, 5, 0}, {{4}, 6, 7}};
  for (const Boundary boundary : kAll) {
    for (const Case& c : cases) {
      const RowPlan plan = plan_halo_rows(c.counts, c.before, c.after, boundary);
      CHECK(plan.from == c.counts);
      CHECK(plan.to == Rows(c.counts.size(), c.before + c.after));
      const std::int64_t n = std::accumulate(c.counts.begin(), c.counts.end(), std::int64_t{0});
      Rows expected;
      std::int64_t begin = 0;
      for (const std::int64_t count : c.counts) {
        for (std::int64_t i = -c.before; i < 0; ++i) expected.push_back(row_at(begin + i, n, boundary));
        begin += count;
        for (std::int64_t i = 0; i < c.after; ++i) expected.push_back(row_at(begin + i, n, boundary));
      }
      CHECK(filled(plan) == expected);
    }
  }
}

TEST_CASE("an axis without rows has nothing beyond its ends") {
  const RowPlan plan = plan_halo_rows({0, 0}, 1, 1, Boundary::Wrap);
  CHECK(plan.moves.empty());
  CHECK(plan.to == Rows{2, 2});
}

TEST_CASE("what entries of a convolution need") {
  const ConvolutionAxis all = {.kernel = 3, .offset = 0, .stride = 1};
  CHECK(all.window(0, 7, 0, 3) == Window{-2, 7});
  CHECK(all.window(2, 4, 1, 2) == Window{1, 3});
  const ConvolutionAxis valid = {.kernel = 3, .offset = 2, .stride = 2};
  CHECK(valid.window(0, 2, 0, 3) == Window{0, 5});
  CHECK(valid.window(1, 1, 0, 3) == Window{0, 0});
}

}  // namespace eh
