// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/packing.hpp"
#include "kernels/dense_product.hpp"

/// The loops around the register blocks: a block of b is packed into panels, and blocks of rows of a pass by it. Compiled
/// once per instruction set, like the headers it includes.
namespace eh::kernels::engine {
namespace {

constexpr Index kBlockColumns = 480;  ///< of b; with kDepth rows of float64 about a mebibyte
constexpr Index kBlockRows = 192;     ///< of a: with kDepth columns a third of that

/// Where rows [first, last) of the product go.
template <typename T>
struct Destination {
  T* c;
  Index row;  ///< elements from one row to the next
  Index first, last;
  Into into;
};

/// Rows [k, k + depth) and columns [j, j + columns) of b as panels.
template <typename T>
void pack_block(const DenseMatrix<T>& b, Index k, Index depth, Index j, Index columns, Into into, T* out) {
  if (b.column == 1)
    pack_panels<RealTiles<T>>(Rows<T>{b.data + k * b.row + j, b.row, depth, columns}, out);
  else
    pack_transposed<RealTiles<T>>(Rows<T>{b.data + j * b.column + k, b.column, columns, depth}, out);
  if (into != Into::Subtract) return;
  for (Index i = 0; i < depth * round_up(columns, kLanes<T>); i += kLanes<T>) store(out + i, -load(out + i));
}

/// Rows [i, i + rows) of a, columns [k, k + depth), times packed panels.
template <typename T>
void multiply_block(const DenseMatrix<T>& a, Index i, Index rows, Index k, Index depth, const T* panels,
                    Index columns, T* c, Index c_row, bool add) {
  const T* from = a.data + i * a.row + k * a.column;
  if (a.column == 1)
    multiply<RealTiles<T>, true>({rows, columns, depth, from, a.row, panels, c, c_row, add});
  else
    multiply<RealTiles<T>, false>({rows, columns, depth, from, a.column, panels, c, c_row, add});
}

/// Columns [j, j + columns) of the result, whole vectors of them, straight into c.
template <typename T>
void whole_columns(const DenseMatrix<T>& a, const DenseMatrix<T>& b, Index j, Index columns,
                   const Destination<T>& to, T* panels) {
  for (Index k = 0; k < a.columns; k += kDepth) {
    const Index depth = least(kDepth, a.columns - k);
    pack_block(b, k, depth, j, columns, to.into, panels);
    for (Index i = to.first; i < to.last; i += kBlockRows)
      multiply_block(a, i, least(kBlockRows, to.last - i), k, depth, panels, columns, to.c + i * to.row + j,
                     to.row, k > 0 || to.into != Into::Write);
  }
}

/// The last columns, less than a vector: c has no room for whole ones.
template <typename T>
void last_columns(const DenseMatrix<T>& a, const DenseMatrix<T>& b, Index j, const Destination<T>& to,
                  T* panels) {
  const Index columns = b.columns - j;
  T* const part = panels + kDepth * kLanes<T>;  // (kBlockRows, one vector)
  for (Index k = 0; k < a.columns; k += kDepth) {
    const Index depth = least(kDepth, a.columns - k);
    pack_block(b, k, depth, j, columns, to.into, panels);
    for (Index i = to.first; i < to.last; i += kBlockRows) {
      const Index rows = least(kBlockRows, to.last - i);
      multiply_block(a, i, rows, k, depth, panels, kLanes<T>, part, kLanes<T>, false);
      for (Index r = 0; r < rows; ++r)
        for (Index n = 0; n < columns; ++n) {
          T& sum = to.c[(i + r) * to.row + j + n];
          sum = (k > 0 || to.into != Into::Write ? sum : T{0}) + part[r * kLanes<T> + n];
        }
    }
  }
}

template <typename T>
void multiply_dense(const DenseMatrix<T>& a, const DenseMatrix<T>& b, std::int64_t first, std::int64_t last,
                    T* c, std::int64_t c_row, Into into, void* scratch) {
  auto* const panels = static_cast<T*>(scratch);
  const Destination<T> to{c, c_row, first, last, into};
  const Index whole = b.columns / kLanes<T> * kLanes<T>;
  for (Index j = 0; j < whole; j += kBlockColumns)
    whole_columns(a, b, j, least(kBlockColumns, whole - j), to, panels);
  if (whole < b.columns) last_columns(a, b, whole, to, panels);
}

}  // namespace
}  // namespace eh::kernels::engine
