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
    // Runs: up to the end of the axis from within it, or for nothing from before it; other rows one by one.
    std::int64_t length = 1;
    if (row < 0) {
      length = at < 0 ? std::min<std::int64_t>(window.end, 0) - at : window.end - at;
    } else if (boundary == Boundary::Wrap || (at >= 0 && at < n)) {
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
  if (boundary == Boundary::Edge) return position < 0 ? 0 : n - 1;
  if (boundary == Boundary::Reflect && n == 1) return 0;
  const std::int64_t period = boundary == Boundary::Wrap ? n : boundary == Boundary::Symm ? 2 * n : 2 * n - 2;
  const std::int64_t within = ((position % period) + period) % period;
  if (within < n) return within;
  return boundary == Boundary::Symm ? period - 1 - within : period - within;
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

std::vector<Window> windows_around(const std::vector<std::int64_t>& counts, std::int64_t before,
                                   std::int64_t after) {
  std::vector<Window> windows;
  std::int64_t begin = 0;
  for (const std::int64_t count : counts) {
    windows.push_back({begin - before, begin + count + after});
    begin += count;
  }
  return windows;
}

RowPlan plan_halo_rows(const std::vector<std::int64_t>& counts, std::int64_t before, std::int64_t after,
                       Boundary boundary) {
  RowPlan plan;
  plan.from = counts;
  const std::int64_t n = offsets_of(counts).back();
  std::int64_t target = 0;
  for (const Window& window : windows_around(counts, before, after)) {
    plan.to.push_back(before + after);
    add_moves(plan.moves, {window.begin, window.begin + before}, target, n, boundary);
    add_moves(plan.moves, {window.end - after, window.end}, target + before, n, boundary);
    target += before + after;
  }
  return plan;
}

Window ConvolutionAxis::window(std::int64_t begin, std::int64_t end, std::int64_t first,
                               std::int64_t last) const {
  if (begin >= end) return {0, 0};
  return {offset + begin * stride - (last - 1), offset + (end - 1) * stride - first + 1};
}

}  // namespace eh
