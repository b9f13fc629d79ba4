// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "layout/moves.hpp"
#include "ops/manipulation.hpp"

namespace eh {
namespace {

/// Rows moved along the split; the layout stays.
DNDarray move_within(const DNDarray& x, const at::Tensor& local, const std::vector<Move>& moves) {
  const std::vector<std::int64_t>& counts = x.layout().counts();
  return x.with_local(move_rows(local, x.split(), counts, counts, moves, x.comm_ptr()));
}

/// Total shift per axis; NumPy adds up shifts of an axis given twice and broadcasts shifts against axes.
std::map<int, std::int64_t> shifts_by_axis(const DNDarray& x, const std::vector<std::int64_t>& shifts,
                                           const std::vector<int>& axes) {
  const std::size_t n = std::max(shifts.size(), axes.size());
  const auto fits = [n](std::size_t m) { return m == n || m == 1; };
  EH_CHECK(fits(shifts.size()) && fits(axes.size()), ValueError, "roll: ", shifts.size(), " shifts for ",
           axes.size(), " axes; give one of each per axis, or one for all");
  std::map<int, std::int64_t> out;
  for (std::size_t i = 0; i < n; ++i) {
    const int axis = normalize_axis(axes[axes.size() == 1 ? 0 : i], x.ndim(), "roll");
    out[axis] += shifts[shifts.size() == 1 ? 0 : i];
  }
  return out;
}

DNDarray roll_axis(const DNDarray& x, int axis, std::int64_t shift) {
  const std::int64_t extent = x.shape()[static_cast<std::size_t>(axis)];
  if (extent == 0 || shift % extent == 0) return x;
  if (axis == x.split() && x.is_distributed()) return move_within(x, x.local(), roll_moves(extent, shift));
  return x.with_local(x.local().roll({shift}, {axis}));
}

}  // namespace

DNDarray flip(const DNDarray& x, const std::vector<int>& axes) {
  const std::vector<int> places = normalize_axes(axes, x.ndim(), "flip");
  const Shape wide(places.begin(), places.end());
  const at::Tensor local = x.local().flip(sizes(wide));
  const bool crosses = x.is_distributed() && std::binary_search(places.begin(), places.end(), x.split());
  if (!crosses) return x.with_local(local);
  return move_within(x, local, reverse_blocks_moves(x.layout().counts()));
}

DNDarray roll(const DNDarray& x, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes) {
  DNDarray out = x;
  for (const auto& [axis, shift] : shifts_by_axis(x, shifts, axes)) out = roll_axis(out, axis, shift);
  if (out.local().is_same(x.local())) return x.with_local(x.local().clone());
  return out;
}

DNDarray roll_flat(const DNDarray& x, std::int64_t shift) {
  const int split = x.layout().is_split() ? 0 : kNoSplit;
  const DNDarray flat = reshape(x, {x.layout().size()}, split);
  const DNDarray rolled = roll(flat, {shift}, {0});
  const DNDarray back = reshape(rolled, x.shape(), x.split());
  return redistribute(back, x.layout_ptr());
}

}  // namespace eh
