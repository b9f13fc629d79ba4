// SPDX-License-Identifier: BSD-3-Clause
#include "base/shape.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace eh {

std::string to_string(const Shape& shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + (shape.size() == 1 ? ",)" : ")");
}

int normalize_axis(int axis, int ndim, const char* fn) {
  EH_CHECK(axis >= -ndim && axis < ndim, AxisError, fn, ": axis ", axis, " is out of bounds for ", ndim,
           "-dimensional array");
  return axis < 0 ? axis + ndim : axis;
}

std::vector<int> normalize_axes(const std::vector<int>& axes, int ndim, const char* fn) {
  std::vector<int> out;
  for (int axis : axes) out.push_back(normalize_axis(axis, ndim, fn));
  std::sort(out.begin(), out.end());
  const auto twice = std::adjacent_find(out.begin(), out.end());
  EH_CHECK(twice == out.end(), ValueError, fn, ": axis ", *twice, " is given twice");
  return out;
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* fn) {
  Shape out(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {  // i counts from the last axis
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    EH_CHECK(x == y || x == 1 || y == 1, ValueError, fn, ": operands could not be broadcast, input shapes ",
             to_string(a), " ", to_string(b));
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

}  // namespace eh
