// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/gpu/operands.hpp"
#include "kernels/cross_attention_reconstruction/gpu/plan.hpp"

/// From the caller's tensors and a team's memory to words in shared memory.
namespace eh::kernels::gpu {

/// Of the loss's gradient: 2 / (counted tokens * pixels), 0 where there are none.
EH_DEVICE double factor_of(const Reconstruction& p) {
  if (p.counted == nullptr) return p.factor;
  return *p.counted > 0 ? 2.0 / (static_cast<double>(*p.counted) * static_cast<double>(p.pixels)) : 0.0;
}

/// Rows of adjacent numbers of which `rows` x `columns` are there.
struct Block {
  const void* data;
  Element element;
  Index row;  ///< stride in elements
  int rows, columns;

  EH_DEVICE const void* at(Index i) const {
    const Index bytes = element == Element::f32   ? 4
                        : element == Element::f64 ? 8
                        : element == Element::u8  ? 1
                                                  : 2;
    return static_cast<const char*>(data) + i * bytes;
  }
};

EH_DEVICE Block block_of(const Tokens& x, Index image, Index first_row, Index first_column, Index rows,
                         Index columns) {
  Block b{x.data, x.element, x.row, static_cast<int>(rows), static_cast<int>(columns)};
  b.data = b.at(image * x.image + first_row * x.row + first_column);
  return b;
}

/// Sixteen bytes of words from `left` numbers and zeros behind them.
template <typename M>
EH_DEVICE void convert(const Block& x, Index at, int left, typename M::Word* out) {
  alignas(16) typename M::Word words[M::kWords];
  if (x.element == Element::f32 && left >= M::kWords && aligned(x.at(at))) {
    EH_UNROLL for (int i = 0; i < M::kWords; i += 4) {
      const Four four = load_four(x.at(at + i));
      EH_UNROLL for (int k = 0; k < 4; ++k) words[i + k] = M::of(four.x[k]);
    }
  } else {
    EH_UNROLL for (int i = 0; i < M::kWords; ++i) words[i] =
        i < left ? M::of(number_at(x.data, x.element, at + i)) : M::of(0);
  }
  copy_four(out, words);
}

/// `rows` x `columns` words, zeros outside of the block. Whole aligned pieces of the words' own type are copied without
/// passing through registers; they are there after wait() and sync().
/// @pre columns is a multiple of M::kWords
template <typename M, typename E>
EH_DEVICE void copy_block(const E& e, const Block& x, typename M::Word* out, int stride, int rows,
                          int columns) {
  const int pieces = columns / M::kWords;
  const bool direct = x.element == M::kElement && aligned(x.data) && x.row % M::kWords == 0;
  e.each_item(rows * pieces, [&](int i) {
    const int r = i / pieces, c = i % pieces * M::kWords;
    const int left = r < x.rows ? x.columns - c : 0;
    typename M::Word* to = out + r * stride + c;
    if (direct && left >= M::kWords) {
      e.copy_later(to, x.at(r * x.row + c));
    } else {
      convert<M>(x, r * x.row + c, left, to);
    }
  });
}

/// Words that f(row, column) computes as numbers; zeros outside of x.rows x x.columns.
template <typename M, typename E, typename F>
EH_DEVICE void fill_block(const E& e, int valid_rows, int valid_columns, typename M::Word* out, int stride,
                          int rows, int columns, const F& f) {
  e.each_item(rows * columns, [&](int i) {
    const int r = i / columns, c = i % columns;
    out[r * stride + c] = M::of(r < valid_rows && c < valid_columns ? f(r, c) : 0.0f);
  });
}

/// Streams `count` tiles through two buffers: load(i, b) fills buffer b while use(i - 1, other) reads the other one.
template <typename E, typename Load, typename Use>
EH_DEVICE void stream(const E& e, int count, const Load& load, const Use& use) {
  e.sync();
  if (count > 0) load(0, 0);
  for (int i = 0; i < count; ++i) {
    e.wait();
    e.sync();
    if (i + 1 < count) load(i + 1, (i + 1) % 2);
    use(i, i % 2);
  }
}

}  // namespace eh::kernels::gpu
