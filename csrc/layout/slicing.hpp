// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <vector>

#include "layout/layout.hpp"

/// What an index expression selects. Pure: no communication.
namespace eh {

/// Entries start, start + step, ... of one axis: `count` of them. A negative step runs backwards.
struct AxisSlice {
  std::int64_t start;
  std::int64_t step;
  std::int64_t count;
  bool operator==(const AxisSlice&) const = default;
};

/// Python's rule for slice(start, stop, step) on an axis of `extent` entries.
/// @throws ValueError "slice step cannot be zero"
AxisSlice slice_axis(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                     std::optional<std::int64_t> step, std::int64_t extent);

/// The same entries in ascending order.
AxisSlice ascending(const AxisSlice& slice);

/// The part of an ascending slice that every rank owns.
struct SplitSlice {
  std::vector<std::int64_t> starts;  ///< first row, counted from the rank's own rows
  std::vector<std::int64_t> counts;
};
/// @pre slice.step > 0
SplitSlice slice_counts(const std::vector<std::int64_t>& owned, const AxisSlice& slice);

/// One entry of an index expression.
struct KeyItem {
  enum class Kind { Integer, Slice, NewAxis, Ellipsis, Mask, Take };
  Kind kind;
  std::optional<std::int64_t> start;  ///< also the integer
  std::optional<std::int64_t> stop;
  std::optional<std::int64_t> step;
  Shape array = {};  ///< shape of a mask (it takes the place of as many axes) or of an array of integers
};

/// Input axes [axis, axis + ndim) under one array of an index expression.
struct ArrayPlace {
  int axis;
  int ndim;  ///< 1 for integers, as many as a mask has axes (0 for a 0-d mask)
  bool operator==(const ArrayPlace&) const = default;
};

/// An index expression understood: slices along every axis first, then the arrays, then integer axes dropped and new
/// axes inserted.
struct IndexPlan {
  static constexpr int kNew = -1;    ///< in `result`: a new axis of extent 1
  static constexpr int kArray = -2;  ///< in `result`: the axis (or axes) that the arrays make
  std::vector<AxisSlice> axes;       ///< one per input axis; an integer is a slice of one; all under an array
  std::vector<int> result;           ///< axes of the result: an input axis, kNew or kArray
  std::vector<ArrayPlace> arrays;    ///< in the order of the key
  std::vector<int> integers;         ///< input axes under an integer, ascending
};

/// NumPy's rules for one index expression. Masks among several arrays count as the integer arrays they stand for.
/// @throws IndexError with NumPy's words
IndexPlan plan_index(const std::vector<KeyItem>& key, const Shape& shape);

}  // namespace eh
