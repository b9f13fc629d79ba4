// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/tiles.hpp"

/// Matrix products of small matrices: C (m x n, Real) += or = A (m x k words) B (k words x n).
///
/// B lies in panels: the n columns are cut into panels of 1 to 4 vectors (panel_vectors), and a panel holds its k rows
/// one behind the other, so that a product reads it from front to back. Columns are padded to whole vectors; so are
/// the rows of C. A is read a word at a time, wherever it lies: rows of adjacent k ("along rows"), or rows of adjacent m.
namespace eh::kernels::engine {
namespace {

constexpr bool kManyRegisters = EH_VECTOR_BYTES == 64;  ///< 32 vector registers, else 16

/// Width in vectors of the next panel when `rest` vectors are left.
template <typename T>
constexpr Index panel_vectors(Index rest) {
  if (T::kTileRegisters) return least(rest, 2);
  if (!kManyRegisters) return rest == 4 ? 2 : least(rest, 3);
  if (rest <= 4) return rest;
  return rest == 7 || rest == 8 ? 4 : 3;
}

/// Rows of C that fit into the registers beside a row of a panel.
template <int Vectors>
constexpr int kRows = kManyRegisters ? (Vectors == 4   ? 6
                                        : Vectors == 3 ? 8
                                                       : 12)
                                     : (Vectors == 3   ? 4
                                        : Vectors == 2 ? 6
                                                       : 8);

/// Summed words a panel is read in one go: a block of it stays in the first-level cache.
constexpr Index kDepth = 256;

template <typename T>
struct Product {
  Index rows, columns, depth;  ///< of C, and words summed over
  const typename T::Word* a;
  Index a_stride;
  const typename T::Word* b;  ///< panels
  typename T::Real* c;
  Index c_stride;
  bool add;
  Index b_row = 0;  ///< of a B that lies in whole rows of whole vectors, unpacked: words from one to the next
};

/// One block of C in registers. @tparam AlongRows: a(i, k) = a[i * stride + k], else a[k * stride + i]
template <typename T, int Rows, int Vectors, bool AlongRows>
EH_FORCE void block(const typename T::Word* a, Index a_stride, const typename T::Word* b, Index b_row,
                    Index depth, typename T::Real* c, Index c_stride, bool add) {
  using Real = typename T::Real;
  constexpr int lanes = kLanes<Real>;
  Vector<Real> sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    if (add) {  // on its way from a far cache while the sum is made
      __builtin_prefetch(c + i * c_stride, 1);
      __builtin_prefetch(c + i * c_stride + Vectors * lanes - 1, 1);
    }
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) sum[i][v] = Vector<Real>{};
  }
  for (Index k = 0; k < depth; ++k) {
    if (!AlongRows) __builtin_prefetch(a + 8 * a_stride);
    Vector<typename T::Word> row[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) row[v] = load(b + v * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const auto word = all<typename T::Word>(AlongRows ? a[i * a_stride + k] : a[i]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[i][v] = T::multiply_add(word, row[v], sum[i][v]);
    }
    b += b_row;
    if (!AlongRows) a += a_stride;
  }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      Real* to = c + i * c_stride + v * lanes;
      store(to, add ? load(to) + sum[i][v] : sum[i][v]);
    }
}

/// All rows of one panel's columns.
template <typename T, int Vectors, bool AlongRows>
__attribute__((noinline)) void panel_product(const Product<T>& p) {
  constexpr int most_rows = kRows<Vectors>;
  const Index step = AlongRows ? p.a_stride : 1;
  const Index b_row = p.b_row != 0 ? p.b_row : Vectors * kLanes<typename T::Real>;
  Index i = 0;
  const auto run = [&]<int Rows>(std::integral_constant<int, Rows>) __attribute__((always_inline)) {
    for (; i + Rows <= p.rows; i += Rows)
      block<T, Rows, Vectors, AlongRows>(p.a + i * step, p.a_stride, p.b, b_row, p.depth,
                                         p.c + i * p.c_stride, p.c_stride, p.add);
  };
  run(std::integral_constant<int, most_rows>{});
  if constexpr (most_rows > 4) run(std::integral_constant<int, 4>{});
  run(std::integral_constant<int, 2>{});
  run(std::integral_constant<int, 1>{});
}

template <typename T, bool AlongRows>
void multiply(Product<T> p) {
  constexpr Index lanes = kLanes<typename T::Real>;
  const Index depth = p.depth, blocks = most(1, ceil_div(depth, kDepth)), part = ceil_div(depth, blocks);
  const Product<T> whole = p;
  for (Index rest = ceil_div(p.columns, lanes), vectors = 0; rest > 0; rest -= vectors) {
    vectors = panel_vectors<T>(rest);
    const Index first = (ceil_div(whole.columns, lanes) - rest) * lanes;
    for (Index k = 0; k == 0 || k < depth; k += most(1, part)) {
      p.depth = least(part, depth - k);
      p.a = whole.a + k * (AlongRows ? 1 : p.a_stride);
      p.b = whole.b + (p.b_row != 0 ? first + k * p.b_row : first * depth + k * vectors * lanes);
      p.c = whole.c + first;
      p.add = whole.add || k > 0;
      if (vectors == 1) panel_product<T, 1, AlongRows>(p);
      if (vectors == 2) panel_product<T, 2, AlongRows>(p);
      if (vectors == 3) panel_product<T, 3, AlongRows>(p);
      if constexpr (kManyRegisters)
        if (vectors == 4) panel_product<T, 4, AlongRows>(p);
    }
  }
}

}  // namespace
}  // namespace eh::kernels::engine
