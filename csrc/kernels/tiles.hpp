// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Copies between memory whose fastest axes differ, tile by tile: every cache line is read and written once.
namespace eh::kernels {

/// Distance in bytes from one row to the next, and from one column to the next.
struct Steps {
  std::int64_t row, column;
};

/// Whether a row of `columns` such steps crosses a cache line at nearly every element while rows are neighbours.
bool prefers_tiles(Steps steps, std::size_t item);

/// A (rows, columns) matrix of elements of any size; either side's steps are arbitrary.
void copy_tiles(const std::byte* from, Steps from_steps, std::byte* to, Steps to_steps, std::int64_t rows,
                std::int64_t columns, std::size_t item);

/// Whether of two views of the same sizes, strides in bytes, one is contiguous along another axis than the other.
bool are_transposed(const std::vector<std::int64_t>& from_strides,
                    const std::vector<std::int64_t>& to_strides, const std::vector<std::int64_t>& sizes,
                    std::size_t item);

/// Copies a view to another, by tiles of the two axes along which they are contiguous, any two otherwise.
void copy_transposed(const std::byte* from, const std::vector<std::int64_t>& from_strides, std::byte* to,
                     const std::vector<std::int64_t>& to_strides, const std::vector<std::int64_t>& sizes,
                     std::size_t item);

}  // namespace eh::kernels
