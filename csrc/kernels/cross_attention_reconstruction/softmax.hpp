// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/ahead.hpp"
#include "kernels/cross_attention_reconstruction/packing.hpp"

/// Rows of attention weights and their adjoint, in place, and the words products read them as.
namespace eh::kernels::engine {
namespace {

/// Where a table of numbers goes: as words along its rows and, where words are pairs, as words across them (of rows 2 i
/// and 2 i + 1) too. Null: not wanted.
template <typename T>
struct Words {
  typename T::Word* along;
  Index along_stride;
  typename T::Word* across;
  Index across_stride;

  /// x and y: columns j, ... of rows i and i + 1. Where words are single numbers there is only x.
  EH_FORCE void put(Index i, Index j, Vector<typename T::Real> x, Vector<typename T::Real> y,
                    bool second) const {
    if (along != nullptr) {
      T::store_words(along + i * along_stride, j, x);
      if (second) T::store_words(along + (i + 1) * along_stride, j, y);
    }
    if constexpr (T::kPair == 2)
      if (across != nullptr) store(across + i / 2 * across_stride + j, T::pair(x, y));
  }
};

/// Rows whose exponentials are computed at the same time: the largest and the sum of a row are found by long chains of
/// shuffles, of which the processor works on several.
constexpr int kRowsAtOnce = kManyRegisters ? 4 : 2;

/// Each row := exp(scale (row - max)); the padding behind `columns` becomes 0. inverse := 1 / sum
template <int Rows, typename Real>
EH_FORCE void exponentials(Real* rows, Index stride, Index columns, Real scale, Real* inverse) {
  constexpr Index lanes = kLanes<Real>;
  const Vector<Real> low = all<Real>(-__builtin_inf());
  const Real factor = scale * static_cast<Real>(1.44269504088896341);  // e^x = 2^(x / ln 2)
  Vector<Real> top[Rows], sum[Rows] = {};
  for (Vector<Real>& t : top) t = low;
  for (Index j = 0; j < columns; j += lanes)
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      Vector<Real> x = load(rows + r * stride + j);
      if (columns - j < lanes) x = first_lanes<Real>(x, low, columns - j);
      top[r] = x > top[r] ? x : top[r];
    }
  Real shift[Rows];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) shift[r] = top_of<Real>(top[r]);
  for (Index j = 0; j < columns; j += lanes)
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      Real* at = rows + r * stride + j;
      Vector<Real> e = exp2_of<Real>((load(at) - shift[r]) * factor);
      if (columns - j < lanes) e = first_lanes<Real>(e, Vector<Real>{}, columns - j);
      store(at, e);
      sum[r] += e;
    }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) inverse[r] = 1 / sum_of<Real>(sum[r]);
}

/// Rows of scores to rows of attention weights.
template <typename T>
void softmax_rows(typename T::Real* scores, Index stride, Index rows, Index columns, typename T::Real scale,
                  const Words<T>& out, const Ahead& ahead) {
  using Real = typename T::Real;
  Real inverse[kRowsAtOnce] = {};
  for (Index i = 0; i < rows; i += kRowsAtOnce) {
    Real* row = scores + i * stride;
    const Index count = least(kRowsAtOnce, rows - i);
    ahead.fetch<0>(i, i + count, rows);
    if (count == kRowsAtOnce)
      exponentials<kRowsAtOnce>(row, stride, columns, scale, inverse);
    else
      for (Index r = 0; r < count; ++r)
        exponentials<1>(row + r * stride, stride, columns, scale, inverse + r);
    for (Index r = 0; r < count; r += T::kPair, row += T::kPair * stride) {
      const bool second = T::kPair == 2 && r + 1 < count;
      const Real x = inverse[r], y = second ? inverse[r + 1] : Real{0};
      for (Index j = 0; j < columns; j += kLanes<Real>)
        out.put(i + r, j, load(row + j) * x, second ? load(row + stride + j) * y : Vector<Real>{}, second);
    }
  }
}

/// Attention weights as they are kept for backward, of rows i and, where words are pairs, i + 1.
template <typename T>
struct Kept {
  const typename T::Word* words;
  Index stride;

  EH_FORCE Vector<typename T::Real> first(Index i, Index j) const {
    if constexpr (T::kPair == 1) return load(words + i * stride + j);
    if constexpr (T::kPair == 2) return first_of_pair(load(words + i / 2 * stride + j));
  }
  EH_FORCE Vector<typename T::Real> second(Index i, Index j) const {
    if constexpr (T::kPair == 1) return Vector<typename T::Real>{};
    if constexpr (T::kPair == 2) return second_of_pair(load(words + i / 2 * stride + j));
  }
};

/// Rows of gradients of attention weights to gradients of the unscaled scores: scale a (row - <a, row>).
template <typename T>
void softmax_adjoint_rows(const typename T::Real* rows, Index stride, Index count, Index columns,
                          typename T::Real scale, const Kept<T>& kept, const Words<T>& out,
                          const Ahead& ahead) {
  using Real = typename T::Real;
  for (Index i = 0; i < count; i += T::kPair) {
    ahead.fetch<1>(i, least(count, i + T::kPair), count);
    const Real* row = rows + i * stride;
    const Real* next = T::kPair == 2 && i + 1 < count ? row + stride : row;
    const bool second = next != row;
    Vector<Real> x{}, y{};
    for (Index j = 0; j < columns; j += kLanes<Real>) {
      x += load(row + j) * kept.first(i, j);
      y += load(next + j) * kept.second(i, j);
    }
    const Real mean_x = sum_of<Real>(x), mean_y = sum_of<Real>(y);
    for (Index j = 0; j < columns; j += kLanes<Real>) {
      const Vector<Real> a = kept.first(i, j) * scale, b = kept.second(i, j) * scale;
      out.put(i, j, (load(row + j) - mean_x) * a, (load(next + j) - mean_y) * b, second);
    }
  }
}

}  // namespace
}  // namespace eh::kernels::engine
