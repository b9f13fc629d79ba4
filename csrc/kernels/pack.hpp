// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/copy.hpp"

/// Strided memory to and from packed bytes, any range of it, elements of any size.
namespace eh {

/// Contiguous bytes.
struct Memory {
  std::byte* data;
  std::size_t bytes;
};

/// A view of memory: element (i, j, ...) lies at data + i * strides[0] + j * strides[1] + ...; strides in bytes.
/// Elements are numbered with the last axis running fastest.
class StridedView {
 public:
  using Copy = void (*)(void* to, const void* from, std::size_t bytes);
  static constexpr std::size_t kLongRow = 512;

  StridedView(std::byte* data, std::size_t item, std::vector<std::int64_t> sizes,
              std::vector<std::int64_t> strides);
  /// Contiguous bytes.
  StridedView(std::byte* data, std::int64_t bytes);

  std::int64_t bytes() const { return count_ * static_cast<std::int64_t>(item_); }
  std::byte* data() const { return data_; }
  bool is_contiguous() const { return sizes_.empty(); }
  /// Whether it is copied by contiguous rows that are worth a call each.
  bool has_long_rows() const { return is_contiguous() || item_ >= kLongRow; }
  /// Bytes of its contiguous rows.
  std::int64_t row_bytes() const { return is_contiguous() ? bytes() : static_cast<std::int64_t>(item_); }
  /// Copies bytes [first, first + n) of the packed form, long rows by `copy`. @pre both are multiples of the element's
  /// size
  void pack(std::int64_t first, std::int64_t n, std::byte* out, Copy copy = kernels::copy_bytes) const;
  void unpack(std::int64_t first, std::int64_t n, const std::byte* in, Copy copy = kernels::copy_bytes) const;
  /// Appends the contiguous rows that bytes [first, first + n) of the packed form lie in, in their order.
  void append_rows(std::int64_t first, std::int64_t n, std::vector<Memory>& rows) const;

 private:
  /// Whether rows of the last two axes are copied by tiles: the last but one is the contiguous one.
  bool by_tiles() const;
  template <bool Gather>
  void copy_rows(std::byte* strided, std::byte* packed, std::int64_t rows, std::int64_t length,
                 Copy copy) const;
  template <typename Run>
  void for_runs(std::int64_t first, std::int64_t n, const Run& run) const;

  std::byte* data_;
  std::size_t item_;  ///< bytes copied at once: an element, or a row of contiguous ones
  std::int64_t count_;
  // Axes longer than 1, merged where they can be; the last one is walked in the inner loop.
  std::vector<std::int64_t> sizes_;
  std::vector<std::int64_t> strides_;
};

}  // namespace eh
