// SPDX-License-Identifier: BSD-3-Clause
#include "layout/windows.hpp"

#include <algorithm>

#include "layout/layout.hpp"

namespace eh {
namespace {

/// Moves of one window whose rows land at `target` and behind.
void add_moves(std::vector<Move>& moves, const Window& window, std::int64_t target, std::int64_t n,
               Boundary boundary) {
  std::int64_t at = window.begin;
  while (at < window.end) {
    const std::int64_t row = n > 0 ? row_at(at, n, boundary) : -1;
    // Runs: up to the end of the axis from within it, or for nothing from before it; mirrored rows one by one.
    std::int64_t length = 1;
    if (row < 0) {
      length = at < 0 ? std::min<std::int64_t>(window.end, 0) - at : window.end - at;
    } else if (boundary != Boundary::Symm || (at >= 0 && at < n)) {
      length = std::min(window.end - at, n - row);
    }
    if (row >= 0) moves.push_back({row, target + (at - window.begin), length});
    at += length;
  }
}

}  // namespace

std::int64_t row_at(std::int64_t position, std::int64_t n, Boundary boundary) {
  if (position >= 0 && position < n) return position;
  if (boundary == Boundary::Fill) return -1;
  const std::int64_t period = boundary == Boundary::Wrap ? n : 2 * n;
  const std::int64_t within = ((position % period) + period) % period;
  return within < n ? within : period - 1 - within;
}

RowPlan plan_windows(const std::vector<std::int64_t>& from, const std::vector<Window>& windows,
                     Boundary boundary) {
  RowPlan plan;
  plan.from = from;
  const std::int64_t n = offsets_of(from).back();
  std::int64_t target = 0;
  for (const Window& window : windows) {
    const std::int64_t length = window.end - window.begin;
    plan.to.push_back(length);
    add_moves(plan.moves, window, target, n, boundary);
    target += length;
  }
  return plan;
}

Window ConvolutionAxis::window(std::int64_t begin, std::int64_t end, std::int64_t first,
                               std::int64_t last) const {
  if (begin >= end) return {0, 0};
  return {offset + begin * stride - (last - 1), offset + (end - 1) * stride - first + 1};
}

}  // namespace eh
