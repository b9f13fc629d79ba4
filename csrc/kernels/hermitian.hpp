// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <complex>
#include <cstdint>

/// What a Householder reduction of a Hermitian matrix to tridiagonal form does per column, on one rank's columns. T is
/// float, double or a complex number of these; processors only.
namespace eh::kernels {

/// Vectors of n numbers, one behind another.
template <typename T>
struct VectorRows {
  const T* data;
  std::int64_t stride;
  std::int64_t count;
  std::int64_t n;
};

/// out[q] = conj(x_q) . v
template <typename T>
void inner_products(const VectorRows<T>& x, const T* v, T* out);

/// y += sum of factors[q] x_q
template <typename T>
void add_combination(const VectorRows<T>& x, const T* factors, T* y);

/// Some columns of the lower triangle of a Hermitian matrix: rows one behind another, of which row r has the columns
/// below ends[r]; where `diagonal[r]` is not 0 the last of them is on the diagonal. `ends` ascends.
template <typename T>
struct LowerColumns {
  const T* data;
  std::int64_t stride;
  std::int64_t rows;
  const std::int64_t* ends;
  const std::uint8_t* diagonal;
};

/// by_rows += a v_columns and, of what lies below the diagonal, by_columns += a^H v_rows, reading a once: summed over the
/// ranks, and with by_columns at its places, the matrix times v.
template <typename T>
void hermitian_product(const LowerColumns<T>& a, const T* v_rows, const T* v_columns, T* by_rows,
                       T* by_columns);

}  // namespace eh::kernels
