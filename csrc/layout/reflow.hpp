// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "layout/layout.hpp"
#include "layout/moves.hpp"

/// Reshape of a split array as moves of flat pieces. Pure: no communication.
namespace eh {

/// Axes [in_begin, in_end) of one shape that hold the same elements as axes [out_begin, out_end) of another.
struct AxisGroup {
  int in_begin;
  int in_end;
  int out_begin;
  int out_end;
  bool operator==(const AxisGroup&) const = default;
};

/// The finest grouping in which both shapes agree: (2, 3, 4) and (6, 4) give {2, 3 | 6} and {4 | 4}.
/// @pre same number of elements, none of them 0
std::vector<AxisGroup> axis_groups(const Shape& from, const Shape& to);

/// How a block becomes a block of the array of another shape.
///
/// The steps: bring the array to `source`; view the local block as (before, from[rank], behind); move rows of
/// its middle axis; view the result as the block of `target`. Without `moves` the elements stay on their ranks.
struct ReshapePlan {
  Layout source;
  Layout target;
  std::int64_t before;  ///< elements in front of the group of axes that holds the split
  std::int64_t behind;
  std::vector<std::int64_t> from;  ///< elements of the group per rank, in `source`
  std::vector<std::int64_t> to;    ///< the same in `target`
  std::vector<Move> moves;
};

/// Plan for `layout` reshaped to `shape`, split along `split` if the group of axes that holds the present
/// split reaches there, else along an axis of that group (a resplit follows).
///
/// Work and memory per rank: O(pieces), where pieces are the contiguous runs of all blocks in C order. A split
/// behind other axes is moved forward first when an axis there is long enough for all ranks, so that pieces
/// are at most about nranks² for usual shapes. No rank ever holds more than its share of the longest such axis.
/// @pre layout.is_split(), numel(shape) == layout.size() > 0, shape has at least one axis
ReshapePlan plan_reshape(const Layout& layout, const Shape& shape, int split);

/// The shape with its one entry -1 worked out.
/// @throws ValueError "cannot reshape array of size 6 into shape (4, 4)"; for two entries -1
Shape complete_shape(Shape shape, std::int64_t size);

}  // namespace eh
