// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

namespace eh {

/// Extents of an array, outermost axis first.
using Shape = std::vector<std::int64_t>;

/// Number of elements; 1 for a 0-d shape.
inline std::int64_t numel(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// A number as the index of a vector.
inline std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// "(3, 4)", as Python prints a tuple.
std::string to_string(const Shape& shape);

/// Axis in [0, ndim); a negative axis counts from the end.
/// @throws AxisError "fn: axis k is out of bounds for n-dimensional array"
int normalize_axis(int axis, int ndim, const char* fn);

/// Sorted distinct axes; an empty optional-like vector stays empty.
/// @throws ValueError for an axis out of range or given twice
std::vector<int> normalize_axes(const std::vector<int>& axes, int ndim, const char* fn);

/// NumPy's broadcast of two shapes.
/// @throws ValueError "operands could not be broadcast, input shapes (2,) (3,)"
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* fn);

}  // namespace eh
