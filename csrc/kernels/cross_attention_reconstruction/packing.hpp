// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/gemm.hpp"
#include "kernels/cross_attention_reconstruction/problem.hpp"

/// From rows of numbers as the caller has them to the forms a product reads.
namespace eh::kernels::engine {
namespace {

/// Rows of `columns` adjacent numbers.
template <typename Source>
struct Rows {
  const Source* data;
  Index stride;
  Index rows;
  Index columns;
};

/// Calls `f(pointer of the element's type, offset applied)`. @pre the element is one that Real is computed from
template <typename Real, typename F>
EH_FORCE void with_element(const void* data, Element element, Index offset, const F& f) {
  if constexpr (sizeof(Real) == 8) {
    f(static_cast<const double*>(data) + offset);
  } else {
    if (element == Element::bf16) return f(static_cast<const Bf16*>(data) + offset);
    f(static_cast<const float*>(data) + offset);
  }
}

/// Words of rows, adjacent along the columns: row i at i * stride words. Columns are padded with zeros to whole vectors.
template <typename T, typename Source>
void pack_words(const Rows<Source>& x, typename T::Word* out, Index stride) {
  constexpr Index lanes = kLanes<typename T::Real>;
  for (Index i = 0; i < x.rows; ++i)
    for (Index j = 0; j < x.columns; j += lanes)
      T::store_words(out + i * stride, j,
                     load_up_to<typename T::Real>(x.data + i * x.stride + j, x.columns - j));
}

/// Panels of a B whose summed axis are the rows.
template <typename T, typename Source>
void pack_panels(const Rows<Source>& x, typename T::Word* out) {
  using Real = typename T::Real;
  constexpr Index lanes = kLanes<Real>;
  const Index whole = x.rows / T::kPair;
  for (Index j = 0, vectors = 0; j < x.columns; j += vectors * lanes) {
    vectors = panel_vectors(ceil_div(x.columns - j, lanes));
    const Source* row = x.data + j;
    for (Index k = 0; k < whole; ++k, row += T::kPair * x.stride)
      for (Index v = 0; v < vectors; ++v, out += lanes) {
        const Source* at = row + v * lanes;
        const Index left = x.columns - j - v * lanes;
        const Vector<Real> first = load_up_to<Real>(at, left);
        store(out, T::pair(first, T::kPair == 1 ? first : load_up_to<Real>(at + x.stride, left)));
      }
    if (whole * T::kPair == x.rows) continue;
    for (Index v = 0; v < vectors; ++v, out += lanes)  // the last row has no partner
      store(out, T::pair(load_up_to<Real>(row + v * lanes, x.columns - j - v * lanes), Vector<Real>{}));
  }
}

/// The words of one row from column j on, as many as a vector has lanes.
template <typename T, typename Source>
EH_FORCE auto column_words(const Rows<Source>& x, Index i, Index j) {
  using Real = typename T::Real;
  constexpr Index lanes = kLanes<Real>;
  const Source* row = x.data + i * x.stride + j;
  const Index left = i < x.rows ? x.columns - j : 0;
  return T::words(load_up_to<Real>(row, left),
                  T::kPair == 1 ? Vector<Real>{} : load_up_to<Real>(row + lanes, left - lanes));
}

/// Panels of a B whose summed axis are the columns: B is the transpose of x.
template <typename T, typename Source>
void pack_transposed(const Rows<Source>& x, typename T::Word* out) {
  constexpr int lanes = kLanes<typename T::Real>;
  const Index depth = ceil_div(x.columns, T::kPair);
  for (Index i = 0, vectors = 0; i < x.rows; i += vectors * lanes, out += depth * vectors * lanes) {
    vectors = panel_vectors(ceil_div(x.rows - i, lanes));
    for (Index v = 0; v < vectors; ++v)
      for (Index k = 0; k < depth; k += lanes) {
        Vector<typename T::Word> square[lanes];
#pragma GCC unroll 16
        for (int r = 0; r < lanes; ++r) square[r] = column_words<T>(x, i + v * lanes + r, k * T::kPair);
        transpose<lanes>(square);
        for (Index r = 0; r < least(lanes, depth - k); ++r)
          store(out + ((k + r) * vectors + v) * lanes, square[r]);
      }
  }
}

/// Numbers to Real, rows padded with zeros to whole vectors.
template <typename Real, typename Source>
void copy_rows(const Rows<Source>& x, Real* out, Index stride) {
  for (Index i = 0; i < x.rows; ++i)
    for (Index j = 0; j < x.columns; j += kLanes<Real>)
      store(out + i * stride + j, load_up_to<Real>(x.data + i * x.stride + j, x.columns - j));
}

/// Real to an output of the caller, whose rows start at element `offset`.
template <typename Real>
void write_rows(const Rows<Real>& x, const TokensOut& out, Index offset) {
  const auto copy = [&](auto* to) {
    for (Index i = 0; i < x.rows; ++i)
      for (Index j = 0; j < x.columns; j += kLanes<Real>)
        store_up_to<Real>(to + i * out.row + j, load(x.data + i * x.stride + j), x.columns - j);
  };
  if (out.data == nullptr) return;
  if constexpr (sizeof(Real) == 8) {
    copy(static_cast<double*>(out.data) + offset);
  } else {
    if (out.element == Element::bf16) return copy(static_cast<Bf16*>(out.data) + offset);
    copy(static_cast<float*>(out.data) + offset);
  }
}

}  // namespace
}  // namespace eh::kernels::engine
