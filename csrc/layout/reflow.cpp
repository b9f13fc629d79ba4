// SPDX-License-Identifier: BSD-3-Clause
#include "layout/reflow.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

std::int64_t product(const Shape& shape, int begin, int end) {
  std::int64_t out = 1;
  for (int axis = begin; axis < end; ++axis) out *= shape[at(axis)];
  return out;
}

/// First of the axes [begin, end) that is long enough, else the longest.
int working_axis(const Shape& shape, int begin, int end, std::int64_t wanted) {
  int best = begin;
  for (int axis = begin; axis < end; ++axis) {
    if (shape[at(axis)] >= wanted) return axis;
    if (shape[at(axis)] > shape[at(best)]) best = axis;
  }
  return best;
}

/// Elements [flat, flat + length) of a group in C order lie at `index` when ranks are put one behind another.
struct Piece {
  std::int64_t flat;
  std::int64_t length;
  std::int64_t index;
};

/// A group of axes with one of them split: (leading, extent of the split, trailing).
struct GroupSplit {
  std::int64_t leading;
  std::int64_t trailing;
  const Rows& counts;

  Rows elements() const {
    Rows out;
    for (std::int64_t c : counts) out.push_back(leading * c * trailing);
    return out;
  }

  /// All blocks' contiguous runs, in C order.
  std::vector<Piece> pieces() const {
    const Rows offsets = offsets_of(counts);
    std::vector<Piece> out;
    for (std::int64_t i = 0; i < leading; ++i) {
      for (std::size_t r = 0; r < counts.size(); ++r) {
        if (counts[r] == 0) continue;
        out.push_back({(i * offsets.back() + offsets[r]) * trailing, counts[r] * trailing,
                       (offsets[r] * leading + i * counts[r]) * trailing});
      }
    }
    return out;
  }
};

/// Walks two partitions of the same range side by side.
std::vector<Move> match(const std::vector<Piece>& from, const std::vector<Piece>& to) {
  std::vector<Move> moves;
  for (std::size_t i = 0, j = 0; i < from.size() && j < to.size();) {
    const std::int64_t begin = std::max(from[i].flat, to[j].flat);
    const std::int64_t end = std::min(from[i].flat + from[i].length, to[j].flat + to[j].length);
    moves.push_back({from[i].index + begin - from[i].flat, to[j].index + begin - to[j].flat, end - begin});
    if (from[i].flat + from[i].length == end) ++i;
    if (to[j].flat + to[j].length == end) ++j;
  }
  return moves;
}

AxisGroup group_of(const Shape& from, const Shape& to, int axis) {
  for (const AxisGroup& group : axis_groups(from, to)) {
    if (axis < group.in_end) return group;
  }
  throw Error("reshape: no group holds the split axis");
}

/// Where the reshaped array is split: on the way to `split`, as far as the group reaches.
int target_axis(const Shape& shape, const AxisGroup& group, int split, int nranks) {
  if (split < group.out_begin || split >= group.out_end)
    return working_axis(shape, group.out_begin, group.out_end, nranks);
  return working_axis(shape, group.out_begin, split + 1, std::min<std::int64_t>(nranks, shape[at(split)]));
}

}  // namespace

std::vector<AxisGroup> axis_groups(const Shape& from, const Shape& to) {
  std::vector<AxisGroup> groups;
  const int m = static_cast<int>(from.size());
  const int n = static_cast<int>(to.size());
  for (int i = 0, j = 0; i < m && j < n;) {
    AxisGroup group{i, i + 1, j, j + 1};
    std::int64_t a = from[at(i)];
    std::int64_t b = to[at(j)];
    while (a != b) {
      if (a < b)
        a *= from[at(group.in_end++)];
      else
        b *= to[at(group.out_end++)];
    }
    groups.push_back(group);
    i = group.in_end;
    j = group.out_end;
  }
  if (!groups.empty()) {  // what is left over has extent 1
    groups.back().in_end = m;
    groups.back().out_end = n;
  }
  return groups;
}

ReshapePlan plan_reshape(const Layout& layout, const Shape& shape, int split) {
  const Shape& old = layout.gshape();
  const int nranks = layout.nranks();
  const AxisGroup group = group_of(old, shape, layout.split());
  const std::int64_t wanted = std::min<std::int64_t>(nranks, old[at(layout.split())]);
  const int s = working_axis(old, group.in_begin, layout.split() + 1, wanted);
  const int t = target_axis(shape, group, split, nranks);

  const Layout source = s == layout.split() ? layout : Layout::balanced(old, s, nranks);
  const std::int64_t leading = product(old, group.in_begin, s);
  const std::int64_t trailing = product(old, s + 1, group.in_end);
  const std::int64_t new_leading = product(shape, group.out_begin, t);
  const std::int64_t new_trailing = product(shape, t + 1, group.out_end);
  const bool same_axis = leading == new_leading && trailing == new_trailing;
  const Layout target =
      same_axis ? Layout::with_counts(shape, t, source.counts()) : Layout::balanced(shape, t, nranks);

  const GroupSplit in{leading, trailing, source.counts()};
  const GroupSplit out{new_leading, new_trailing, target.counts()};
  ReshapePlan plan{source,
                   target,
                   product(old, 0, group.in_begin),
                   product(old, group.in_end, layout.ndim()),
                   in.elements(),
                   out.elements(),
                   {}};
  const bool contiguous = leading == 1 && new_leading == 1 && plan.from == plan.to;
  if (!same_axis && !contiguous) plan.moves = match(in.pieces(), out.pieces());
  return plan;
}

Shape complete_shape(Shape shape, std::int64_t size) {
  const Shape asked = shape;
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open != shape.end()) {
    *open = 1;
    EH_CHECK(std::find(shape.begin(), shape.end(), -1) == shape.end(), ValueError,
             "reshape: can only specify one unknown dimension, found ", to_string(asked));
    const std::int64_t rest = numel(shape);
    // With a factor 0 any extent would do; NumPy refuses it, too.
    *open = rest == 0 ? -1 : size / rest;
  }
  const bool valid = std::all_of(shape.begin(), shape.end(), [](std::int64_t n) { return n >= 0; });
  EH_CHECK(valid && numel(shape) == size, ValueError, "reshape: cannot reshape array of size ", size,
           " into shape ", to_string(asked));
  return shape;
}

}  // namespace eh
