// SPDX-License-Identifier: BSD-3-Clause
#pragma once

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

/// row := exp(scale (row - max)); the padding behind `columns` becomes 0. @return 1 / sum
template <typename Real>
EH_FORCE Real exponentials(Real* row, Index columns, Real scale) {
  constexpr Index lanes = kLanes<Real>;
  const Index whole = columns / lanes * lanes, rest = columns - whole;
  const Vector<Real> low = all<Real>(-__builtin_inf());
  Vector<Real> top = low;
  for (Index j = 0; j < whole; j += lanes) {
    const Vector<Real> x = load(row + j);
    top = x > top ? x : top;
  }
  if (rest > 0) {
    const Vector<Real> x = first_lanes<Real>(load(row + whole), low, rest);
    top = x > top ? x : top;
  }
  const Real shift = top_of<Real>(top);
  Vector<Real> sum{};
  for (Index j = 0; j < whole; j += lanes) {
    const Vector<Real> e = exp_of<Real>((load(row + j) - shift) * scale);
    store(row + j, e);
    sum += e;
  }
  if (rest > 0) {
    const Vector<Real> e =
        first_lanes<Real>(exp_of<Real>((load(row + whole) - shift) * scale), Vector<Real>{}, rest);
    store(row + whole, e);
    sum += e;
  }
  return 1 / sum_of<Real>(sum);
}

/// Rows of scores to rows of attention weights.
template <typename T>
void softmax_rows(typename T::Real* scores, Index stride, Index rows, Index columns, typename T::Real scale,
                  const Words<T>& out) {
  using Real = typename T::Real;
  for (Index i = 0; i < rows; i += T::kPair) {
    Real* row = scores + i * stride;
    const bool second = T::kPair == 2 && i + 1 < rows;
    const Real x = exponentials(row, columns, scale);
    const Real y = second ? exponentials(row + stride, columns, scale) : Real{0};
    for (Index j = 0; j < columns; j += kLanes<Real>)
      out.put(i, j, load(row + j) * x, second ? load(row + stride + j) * y : Vector<Real>{}, second);
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
                          typename T::Real scale, const Kept<T>& kept, const Words<T>& out) {
  using Real = typename T::Real;
  for (Index i = 0; i < count; i += T::kPair) {
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
