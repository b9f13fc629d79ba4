// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/packing.hpp"

/// Rows of attention weights and their adjoint, in place, and the words products read them as.
namespace eh::kernels::engine {
namespace {

/// row := softmax(scale * row); the padding behind `columns` becomes 0.
template <typename Real>
EH_FORCE void softmax_row(Real* row, Index columns, Real scale) {
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
  const Real inverse = 1 / sum_of<Real>(sum);
  for (Index j = 0; j < columns; j += lanes) store(row + j, load(row + j) * inverse);
}

/// Attention weights as they are kept for backward.
template <typename T>
EH_FORCE Vector<typename T::Real> weights_at(const typename T::Word* kept, Index stride, Index row,
                                             Index column) {
  if constexpr (T::kPair == 1) {
    return load(kept + row * stride + column);
  } else {
    const auto words = load(kept + row / 2 * stride + column);
    return row % 2 == 0 ? first_of_pair(words) : second_of_pair(words);
  }
}

/// row, the gradient of attention weights, becomes the gradient of the unscaled scores: scale a (row - <a, row>).
template <typename T>
EH_FORCE void softmax_adjoint_row(typename T::Real* row, const typename T::Word* kept, Index stride, Index i,
                                  Index columns, typename T::Real scale) {
  using Real = typename T::Real;
  constexpr Index lanes = kLanes<Real>;
  Vector<Real> dot{};
  for (Index j = 0; j < columns; j += lanes) dot += load(row + j) * weights_at<T>(kept, stride, i, j);
  const Real mean = sum_of<Real>(dot);
  for (Index j = 0; j < columns; j += lanes)
    store(row + j, (load(row + j) - mean) * (weights_at<T>(kept, stride, i, j) * scale));
}

/// Rows i and i + 1 (zeros when there is no such row) as words along the columns and as words along the rows.
template <typename T>
EH_FORCE void emit_words(const typename T::Real* rows, Index stride, Index i, Index count, Index columns,
                         typename T::Word* along, Index along_stride, typename T::Word* across,
                         Index across_stride) {
  using Real = typename T::Real;
  if constexpr (T::kPair == 2) {
    const Real* first = rows + i * stride;
    const bool second = i + 1 < count;
    for (Index j = 0; j < columns; j += kLanes<Real>) {
      const Vector<Real> x = load(first + j);
      const Vector<Real> y = second ? load(first + stride + j) : Vector<Real>{};
      if (along != nullptr) {
        T::store_words(along + i * along_stride, j, x);
        if (second) T::store_words(along + (i + 1) * along_stride, j, y);
      }
      if (across != nullptr) store(across + i / 2 * across_stride + j, T::pair(x, y));
    }
  }
}

}  // namespace
}  // namespace eh::kernels::engine
