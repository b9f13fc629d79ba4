// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/tiles.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace eh::kernels {
namespace {

constexpr std::int64_t kLine = 64;
/// Columns of a tile: lines at a distance of a power of two share a set of the cache, which holds eight.
constexpr std::int64_t kColumns = 8;

template <std::size_t Item>
void tile(const std::byte* from, Steps f, std::byte* to, Steps t, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::byte* source = from + i * f.row;
    std::byte* target = to + i * t.row;
    for (std::int64_t j = 0; j < columns; ++j)
      std::memcpy(target + j * t.column, source + j * f.column, Item);
  }
}

template <std::size_t Item>
void tiles(const std::byte* from, Steps f, std::byte* to, Steps t, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kRows = std::max<std::int64_t>(8, 2 * kLine / static_cast<std::int64_t>(Item));
  for (std::int64_t i = 0; i < rows; i += kRows) {
    const std::int64_t height = std::min(kRows, rows - i);
    for (std::int64_t j = 0; j < columns; j += kColumns)
      tile<Item>(from + i * f.row + j * f.column, f, to + i * t.row + j * t.column, t, height,
                 std::min(kColumns, columns - j));
  }
}

/// The axis whose elements are nearest to each other; one longer than 1 if there is any.
std::size_t nearest_axis(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides) {
  std::size_t best = 0;
  for (std::size_t axis = 1; axis < sizes.size(); ++axis) {
    const bool closer = std::abs(strides[axis]) < std::abs(strides[best]);
    if (sizes[axis] > 1 && (sizes[best] == 1 || closer)) best = axis;
  }
  return best;
}

}  // namespace

bool prefers_tiles(Steps steps, std::size_t item) {
  return item <= 16 && std::abs(steps.row) < kLine && std::abs(steps.column) >= kLine;
}

void copy_tiles(const std::byte* from, Steps f, std::byte* to, Steps t, std::int64_t rows,
                std::int64_t columns, std::size_t item) {
  switch (item) {
    case 1:
      return tiles<1>(from, f, to, t, rows, columns);
    case 2:
      return tiles<2>(from, f, to, t, rows, columns);
    case 4:
      return tiles<4>(from, f, to, t, rows, columns);
    case 8:
      return tiles<8>(from, f, to, t, rows, columns);
    case 16:
      return tiles<16>(from, f, to, t, rows, columns);
    default:
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j)
          std::memcpy(to + i * t.row + j * t.column, from + i * f.row + j * f.column, item);
  }
}

bool are_transposed(const std::vector<std::int64_t>& from_strides,
                    const std::vector<std::int64_t>& to_strides, const std::vector<std::int64_t>& sizes,
                    std::size_t item) {
  if (sizes.size() < 2) return false;
  const std::size_t row = nearest_axis(sizes, from_strides), column = nearest_axis(sizes, to_strides);
  return row != column && prefers_tiles({from_strides[row], from_strides[column]}, item);
}

void copy_transposed(const std::byte* from, const std::vector<std::int64_t>& from_strides, std::byte* to,
                     const std::vector<std::int64_t>& to_strides, const std::vector<std::int64_t>& sizes,
                     std::size_t item) {
  const std::size_t row = nearest_axis(sizes, from_strides);
  std::size_t column = nearest_axis(sizes, to_strides);
  if (row == column) column = row == 0 ? 1 : 0;
  const Steps f{from_strides[row], from_strides[column]}, t{to_strides[row], to_strides[column]};
  std::vector<std::int64_t> index(sizes.size(), 0);
  for (bool more = true; more;) {
    std::int64_t source = 0, target = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) {
      source += index[axis] * from_strides[axis];
      target += index[axis] * to_strides[axis];
    }
    copy_tiles(from + source, f, to + target, t, sizes[row], sizes[column], item);
    more = false;
    for (std::size_t axis = index.size(); axis-- > 0 && !more;) {
      if (axis == row || axis == column) continue;
      more = ++index[axis] < sizes[axis];
      if (!more) index[axis] = 0;
    }
  }
}

}  // namespace eh::kernels
