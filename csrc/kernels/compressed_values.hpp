// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/compressed.hpp"

/// Arithmetic with sparse matrices, for float, double, complex numbers of both and unsigned integers of 32 and 64
/// bits, which wrap as signed ones of the same width do.
namespace eh::kernels {

/// A matrix with its entries' values.
template <typename T>
struct SparseRows {
  Sparsity at;
  const T* values;
};

/// A sum and an element-wise product, whose rows begin where count_union and count_common say.
template <typename T>
void add_rows(const SparseRows<T>& a, const SparseRows<T>& b, std::int64_t* columns, T* values);
template <typename T>
void multiply_rows(const SparseRows<T>& a, const SparseRows<T>& b, std::int64_t* columns, T* values);

/// out (rows, width) = a times x (columns, width).
template <typename T>
void times_dense(const SparseRows<T>& a, const T* x, std::int64_t width, T* out);
/// out (columns, width) += transpose of a times x (rows, width).
template <typename T>
void transpose_times_dense(const SparseRows<T>& a, const T* x, std::int64_t width, T* out);

/// a times b (Gustavson), whose rows begin where count_product says.
template <typename T>
void times_sparse(const SparseRows<T>& a, const SparseRows<T>& b, std::int64_t columns,
                  const std::int64_t* begin, std::int64_t* out_columns, T* out);

/// Sums of the values of each group; out is zero before. Groups ascend.
template <typename T>
void sum_groups(const T* values, const std::int64_t* group, std::int64_t n, T* out);

}  // namespace eh::kernels
