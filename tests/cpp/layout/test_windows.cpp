// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "layout/windows.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

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
  for (std::int64_t i = 0; i < 10; ++i)
    CHECK(row_at(i - 3, 3, Boundary::Symm) == mirrored[static_cast<std::size_t>(i)]);
}

TEST_CASE("windows of all ranks, also far beyond the ends and empty") {
  const Rows from = {2, 0, 3};
  const std::vector<Window> windows = {{-4, 3}, {0, 0}, {1, 13}};
  for (const Boundary boundary : {Boundary::Fill, Boundary::Wrap, Boundary::Symm}) {
    const RowPlan plan = plan_windows(from, windows, boundary);
    CHECK(plan.to == Rows{7, 0, 12});
    Rows expected;
    for (const Window& window : windows) {
      for (std::int64_t at = window.begin; at < window.end; ++at) expected.push_back(row_at(at, 5, boundary));
    }
    CHECK(filled(plan) == expected);
  }
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
