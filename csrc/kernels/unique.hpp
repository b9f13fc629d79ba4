// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "base/dtype.hpp"

/// Equal rows of elements; rows are ordered lexicographically, their elements as in sorting. 0.0 and -0.0 are equal.
namespace eh::kernels {

/// Rows of `width` elements, one behind another.
struct Rows {
  DType dtype;
  const void* data;
  std::int64_t count;
  std::int64_t width;
  bool
      equal_nan;  ///< NaN equals NaN (complex numbers with one are all alike); else every row with one is distinct
};

/// Groups of equal rows, ascending.
struct Groups {
  std::vector<std::int64_t> first;  ///< row number of the group's first member
  std::vector<std::int64_t> size;
};
/// `group`, if not null, gets the number of every row's group. Stable sort of records (rows of one element) or of
/// row numbers.
Groups group_rows(const Rows& rows, std::int64_t* group);

/// The distinct values of rows of one element, ascending, and how many they are; `out` has room for all rows. How
/// often each occurs is appended to `sizes`, if not null.
std::int64_t distinct_values(const Rows& rows, void* out, std::vector<std::int64_t>* sizes);

/// For every splitter (ascending rows) the number of `rows` (ascending) before it.
std::vector<std::int64_t> rows_before(const Rows& rows, const Rows& splitters);

}  // namespace eh::kernels
