// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Where a block of a mask holds. One byte per element, 0 or 1; one pass, without branches where it is dense.
namespace eh::kernels {

/// Number of elements that hold.
std::int64_t count_true(const bool* mask, std::int64_t n);

/// Numbers of the elements that hold, ascending. `out` has room for one more than there are.
void true_positions(const bool* mask, std::int64_t n, std::int64_t* out);

/// The coordinates of those elements, one list per axis, where the block is elements start, start + 1, ... of an array
/// of this shape in C order. Each list has room for one more than there are.
/// @pre n > 0 implies that no extent is 0; at least one axis
void true_coordinates(const bool* mask, std::int64_t n, std::int64_t start,
                      const std::vector<std::int64_t>& shape, const std::vector<std::int64_t*>& out);

/// The elements of `bytes` bytes (1, 2, 4, 8 or 16) at which the mask holds, behind one another. `out` has room for
/// one more than there are.
void masked_pack(const bool* mask, std::int64_t n, const void* values, std::size_t bytes, void* out);

/// Elements at which the mask holds become the one value, or values[0], values[1], ... one after the other.
void masked_fill(const bool* mask, std::int64_t n, const void* value, std::size_t bytes, void* out);
void masked_unpack(const bool* mask, std::int64_t n, const void* values, std::size_t bytes, void* out);

}  // namespace eh::kernels
