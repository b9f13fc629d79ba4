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
    vectors = panel_vectors<T>(ceil_div(x.columns - j, lanes));
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

/// A vector of row i from column j on, zeros outside.
template <typename Real, typename Source>
EH_FORCE Vector<Real> row_part(const Rows<Source>& x, Index i, Index j) {
  return load_up_to<Real>(x.data + i * x.stride + j, i < x.rows ? x.columns - j : 0);
}

/// The words of one row from column j on, as many as a vector has lanes.
template <typename T, typename Source>
EH_FORCE auto column_words(const Rows<Source>& x, Index i, Index j) {
  using Real = typename T::Real;
  return T::words(row_part<Real>(x, i, j),
                  T::kPair == 1 ? Vector<Real>{} : row_part<Real>(x, i, j + kLanes<Real>));
}

/// Words k, ... of up to as many rows as a vector has lanes, a vector for each k.
template <typename T, typename Source, typename F>
EH_FORCE void transposed_words(const Rows<Source>& x, Index i, Index k, const F& put) {
  using Real = typename T::Real;
  constexpr int lanes = kLanes<Real>;
  if constexpr (T::kParts == 1) {
    Vector<typename T::Word> square[lanes];
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) square[r] = column_words<T>(x, i + r, k * T::kPair);
    transpose<lanes>(square);
    for (int r = 0; r < lanes; ++r) put(r, square[r]);
  } else {  // numbers first: they are fewer than the parts
    for (int half = 0; half < 2; ++half) {
      Vector<Real> square[lanes];
#pragma GCC unroll 16
      for (int r = 0; r < lanes; ++r) square[r] = row_part<Real>(x, i + r, k * 2 + half * lanes);
      transpose<lanes>(square);
      for (int r = 0; r < lanes; r += 2) put((half * lanes + r) / 2, T::pair(square[r], square[r + 1]));
    }
  }
}

/// Panels of a B whose summed axis are the columns: B is the transpose of x.
template <typename T, typename Source>
void pack_transposed(const Rows<Source>& x, typename T::Word* out) {
  constexpr int lanes = kLanes<typename T::Real>;
  const Index depth = ceil_div(x.columns, T::kPair);
  for (Index i = 0, vectors = 0; i < x.rows; i += vectors * lanes, out += depth * vectors * lanes) {
    vectors = panel_vectors<T>(ceil_div(x.rows - i, lanes));
    for (Index v = 0; v < vectors; ++v)
      for (Index k = 0; k < depth; k += lanes)
        transposed_words<T>(x, i + v * lanes, k, [&](int r, const auto& words) {
          if (k + r < depth) store(out + ((k + r) * vectors + v) * lanes, words);
        });
  }
}

/// Words of columns, adjacent along the rows: column j at j * stride words. Padded with zeros to whole vectors.
template <typename T, typename Source>
void pack_turned(const Rows<Source>& x, typename T::Word* out, Index stride) {
  using Real = typename T::Real;
  constexpr int lanes = kLanes<Real>;
  for (Index j = 0; j < x.columns; j += lanes)
    for (Index i = 0; i < x.rows; i += lanes) {
      Vector<Real> square[lanes];
#pragma GCC unroll 16
      for (int r = 0; r < lanes; ++r) square[r] = row_part<Real>(x, i + r, j);
      transpose<lanes>(square);
#pragma GCC unroll 16
      for (int r = 0; r < lanes; ++r) T::store_words(out + (j + r) * stride, i, square[r]);
    }
}

/// Up to as many columns as a vector has lanes as dense rows, added to what is there or in its place. Reads whole vectors.
template <typename Real>
void add_turned(const Rows<Real>& x, bool more, Real* out) {
  constexpr int lanes = kLanes<Real>;
  for (Index i = 0; i < x.rows; i += lanes) {
    Vector<Real> square[lanes];
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) square[r] = load(x.data + (i + r) * x.stride);
    transpose<lanes>(square);
    for (Index r = 0; r < x.columns; ++r) {
      Real* to = out + r * x.rows + i;
      const Index left = x.rows - i;
      store_up_to<Real>(to, more ? load_up_to<Real>(to, left) + square[r] : square[r], left);
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
