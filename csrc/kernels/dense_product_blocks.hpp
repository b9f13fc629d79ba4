// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/packing.hpp"
#include "kernels/dense_product.hpp"

/// The loops around the register blocks: a block of b is packed into panels, and blocks of rows of a pass by it. Compiled
/// once per instruction set, like the headers it includes.
namespace eh::kernels::engine {
namespace {

using DoubleTiles = RealTiles<double>;
constexpr Index kDoubles = kLanes<double>;
constexpr Index kBlockColumns = 480;  ///< of b; with kDepth rows about a mebibyte
constexpr Index kBlockRows = 192;     ///< of a: with kDepth columns a third of that

/// Rows [k, k + depth) and columns [j, j + columns) of b as panels.
inline void pack_block(const DenseMatrix& b, Index k, Index depth, Index j, Index columns, Into into,
                       double* out) {
  if (b.column == 1)
    pack_panels<DoubleTiles>(Rows<double>{b.data + k * b.row + j, b.row, depth, columns}, out);
  else
    pack_transposed<DoubleTiles>(Rows<double>{b.data + j * b.column + k, b.column, columns, depth}, out);
  if (into != Into::Subtract) return;
  for (Index i = 0; i < depth * round_up(columns, kDoubles); i += kDoubles) store(out + i, -load(out + i));
}

/// Rows [i, i + rows) of a, columns [k, k + depth), times packed panels.
inline void multiply_block(const DenseMatrix& a, Index i, Index rows, Index k, Index depth,
                           const double* panels, Index columns, double* c, Index c_row, bool add) {
  const double* from = a.data + i * a.row + k * a.column;
  if (a.column == 1)
    multiply<DoubleTiles, true>({rows, columns, depth, from, a.row, panels, c, c_row, add});
  else
    multiply<DoubleTiles, false>({rows, columns, depth, from, a.column, panels, c, c_row, add});
}

/// Columns [j, j + columns) of the result, whole vectors of them, straight into c.
inline void whole_columns(const DenseMatrix& a, const DenseMatrix& b, Index first, Index last, Index j,
                          Index columns, double* c, Index c_row, Into into, double* panels) {
  for (Index k = 0; k < a.columns; k += kDepth) {
    const Index depth = least(kDepth, a.columns - k);
    pack_block(b, k, depth, j, columns, into, panels);
    for (Index i = first; i < last; i += kBlockRows)
      multiply_block(a, i, least(kBlockRows, last - i), k, depth, panels, columns, c + i * c_row + j, c_row,
                     k > 0 || into != Into::Write);
  }
}

/// The last columns, less than a vector: c has no room for whole ones.
inline void last_columns(const DenseMatrix& a, const DenseMatrix& b, Index first, Index last, Index j,
                         double* c, Index c_row, Into into, double* panels) {
  const Index columns = b.columns - j;
  double* const part = panels + kDepth * kDoubles;  // (kBlockRows, one vector)
  for (Index k = 0; k < a.columns; k += kDepth) {
    const Index depth = least(kDepth, a.columns - k);
    pack_block(b, k, depth, j, columns, into, panels);
    for (Index i = first; i < last; i += kBlockRows) {
      const Index rows = least(kBlockRows, last - i);
      multiply_block(a, i, rows, k, depth, panels, kDoubles, part, kDoubles, false);
      for (Index r = 0; r < rows; ++r)
        for (Index n = 0; n < columns; ++n) {
          double& to = c[(i + r) * c_row + j + n];
          to = k > 0 || into != Into::Write ? to + part[r * kDoubles + n] : part[r * kDoubles + n];
        }
    }
  }
}

inline void multiply_dense(const DenseMatrix& a, const DenseMatrix& b, std::int64_t first, std::int64_t last,
                           double* c, std::int64_t c_row, Into into, void* scratch) {
  auto* const panels = static_cast<double*>(scratch);
  const Index whole = b.columns / kDoubles * kDoubles;
  for (Index j = 0; j < whole; j += kBlockColumns)
    whole_columns(a, b, first, last, j, least(kBlockColumns, whole - j), c, c_row, into, panels);
  if (whole < b.columns) last_columns(a, b, first, last, whole, c, c_row, into, panels);
}

}  // namespace

}  // namespace eh::kernels::engine
