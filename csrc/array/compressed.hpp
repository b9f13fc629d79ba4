// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

/// Local sparse matrices: rows compressed, columns ascending without repetition. No communication.
namespace eh {

struct Compressed {
  at::Tensor begin;    ///< (rows + 1) int64, from 0
  at::Tensor columns;  ///< (entries) int64
  at::Tensor values;   ///< (entries)
  std::int64_t width;  ///< number of columns

  std::int64_t rows() const { return begin.size(0) - 1; }
  std::int64_t entries() const { return columns.size(0); }
  Compressed with_values(at::Tensor other) const { return {begin, columns, std::move(other), width}; }
};

/// Entries in any order; those at one place are added up.
/// @pre 0 <= row_of < rows, 0 <= column_of < width
Compressed compress(const at::Tensor& row_of, const at::Tensor& column_of, const at::Tensor& values,
                    std::int64_t rows, std::int64_t width);
/// Columns brought into order, repeated ones added up; a itself if there is nothing to do.
Compressed canonical(const Compressed& a);
/// Row of every entry.
at::Tensor rows_of(const Compressed& a);
/// Rows [begin, begin + count) as views of the values.
Compressed row_range(const Compressed& a, std::int64_t begin, std::int64_t count);
/// Chosen rows, in this order.
Compressed pick_rows(const Compressed& a, const at::Tensor& rows);

Compressed from_dense(const at::Tensor& x);
at::Tensor to_dense(const Compressed& a);

/// Entries of either, and of both. @pre one shape, one type
Compressed add(const Compressed& a, const Compressed& b);
Compressed multiply(const Compressed& a, const Compressed& b);
/// @pre one type; a.width == b.rows()
Compressed times(const Compressed& a, const Compressed& b);

/// The columns that occur, ascending, and the same matrix with only these.
std::pair<at::Tensor, Compressed> without_empty_columns(const Compressed& a);

/// a times x (width, n), or its transpose times x (rows, n). Differentiable in x. @pre one type
at::Tensor times_dense(const Compressed& a, const at::Tensor& x, bool transposed);
/// The same, not recorded by autograd.
at::Tensor times_dense_blocks(const Compressed& a, const at::Tensor& x, bool transposed);

}  // namespace eh
