// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/sort_key.hpp"

/// Sorting in memory: bare keys, or records of a key and where its value came from.
///
/// Radix sort from the least significant digit (Knuth, TAOCP 5.2.5), which is stable and skips the digits that all
/// keys share; comparison sorts where lines are short or keys 128 bits wide.
namespace eh::kernels {

/// What is sorted. Item types by size: keys of 1, 2, 4, 8, 16 bytes; records of 8 (32-bit key and index), 16 and 24
/// bytes (64- and 128-bit key, 64-bit index).
class Items {
 public:
  /// Bare keys of a type.
  static Items keys(DType dtype, bool descending);
  /// Keys with indices below `bound`, -0.0 as 0.0.
  static Items records(DType dtype, bool descending, std::int64_t bound);

  std::int64_t bytes() const { return bytes_; }
  int key_bits() const { return key_bits_; }
  bool has_indices() const { return indexed_; }

  /// Items of n values; their indices are first, first + 1, ...
  void encode(const void* values, void* items, std::int64_t n, std::int64_t first) const;
  /// The values of bare keys; `values` may be the keys' memory. @pre !has_indices()
  void decode(const void* items, void* values, std::int64_t n) const;
  /// Indices of records, and their values where `values` is not null. @pre has_indices()
  void decode(const void* items, std::int64_t* indices, void* values, std::int64_t n) const;

  /// Stable; `scratch` has room for n items. Returns false if the sorted items are in `scratch`.
  bool sort(void* items, void* scratch, std::int64_t n) const;
  /// Number of the sorted items in [begin, end) whose key is less than `key`, plus begin.
  std::int64_t lower_bound(const void* items, std::int64_t begin, std::int64_t end, const Key128& key) const;
  /// Sorted runs of items, one behind another, into one; of equal keys those of earlier runs come first.
  /// `ends` are the ends of the runs. Returns false if the result is in `scratch`.
  bool merge(void* items, void* scratch, std::vector<std::int64_t> ends) const;

 private:
  DType dtype_ = DType::UInt8;
  bool descending_ = false;
  bool indexed_ = false;
  std::int64_t bytes_ = 1;
  int key_bits_ = 8;
};

/// Sorts every line of a (lines, length) array into `out`, which may be `values`.
void sort_lines(DType dtype, const void* values, void* out, std::int64_t lines, std::int64_t length,
                bool descending);
/// The order that sorts every line, stable; the sorted values too where `out` is not null.
void argsort_lines(DType dtype, const void* values, void* out, std::int64_t* indices, std::int64_t lines,
                   std::int64_t length, bool descending);

/// The k first of every line's order with their indices (equal ones by index), sorted. @pre k <= length
void top_lines(DType dtype, const void* values, void* out, std::int64_t* indices, std::int64_t lines,
               std::int64_t length, std::int64_t k, bool descending);

}  // namespace eh::kernels
