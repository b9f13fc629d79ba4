// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

#include "kernels/cross_attention_reconstruction/gemm.hpp"

/// Products in the tile registers of AMX: a register is 16 rows of 16 words, and one instruction multiplies two of them.
///
/// The words of A along rows and the panels of B lie in memory as the registers want them. An A along columns is
/// transposed, 32 rows at a time. What is left of the summed axis is padded with zeros on the side; of the rows of C, it is
/// computed whole and stored in part. The instructions are written as assembly, since the register's number is part of them.
namespace eh::kernels::engine {
namespace {

/// Eight registers of 16 rows of 64 bytes.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileShapes kTileShapes;

struct AmxTiles : Bf16Tiles {
  static constexpr Index kRowsPast = 31;
  /// The registers are in use while it lives. @pre the process may use them (dispatch.cpp asks)
  struct Session {
    Session() { asm volatile("ldtilecfg %0" ::"m"(kTileShapes)); }
    ~Session() { asm volatile("tilerelease"); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
  };
};

constexpr Index kSide = 16;    ///< rows of a register, words of a row, numbers of a row of C
constexpr int kA = 6, kB = 7;  ///< registers 0 to 5 hold C

template <int Tile>
EH_FORCE void zero_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
}
template <int Tile>
EH_FORCE void load_tile(const void* p, Index row_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(p), "r"(row_bytes), "i"(Tile) : "memory");
}
template <int Tile>
EH_FORCE void store_tile(void* p, Index row_bytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(p), "r"(row_bytes), "i"(Tile) : "memory");
}
template <int Tile>
EH_FORCE void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Tile), "i"(kA), "i"(kB));
}

/// Calls f<0>(), ..., f<N - 1>().
template <int N, typename F>
EH_FORCE void for_each(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f.template operator()<I>(), ...);
  }(std::make_integer_sequence<int, N>{});
}

/// Words of A or B, and where one row of them follows the other.
struct TileWords {
  const std::int32_t* data;
  Index row;
};

/// C += 16 summed words of A and B. @tparam Rows, Vectors: of registers
template <int Rows, int Vectors>
EH_FORCE void sum_words(TileWords a, TileWords b) {
  for_each<Vectors>([&]<int V>() __attribute__((always_inline)) {
    load_tile<kB>(b.data + V * kSide, b.row * 4);
    for_each<Rows>([&]<int I>() __attribute__((always_inline)) {
      load_tile<kA>(a.data + I * kSide * a.row, a.row * 4);
      multiply_tiles<I * Vectors + V>();
    });
  });
}

/// Up to 32 rows of A over all of a product's depth.
struct TileRows {
  TileWords a;
  Index steps;     ///< of 16 words
  TileWords rest;  ///< what is left of them, zeros behind it
  Index left;      ///< words of it
  Index count;     ///< rows
};

template <int Vectors>
EH_FORCE void add_rows(const float* part, Index rows, float* c, Index c_stride, bool add) {
  for (Index i = 0; i < rows; ++i)
    for (int v = 0; v < Vectors; ++v, part += kSide) {
      float* to = c + i * c_stride + v * kSide;
      store(to, add ? load(to) + load(part) : load(part));
    }
}

/// C of those rows and of the columns of one panel, or of a part of it.
template <int Rows, int Vectors>
__attribute__((noinline)) void tile_block(const TileRows& x, TileWords b, const std::int32_t* b_rest,
                                          float* c, Index c_stride, bool add) {
  const bool whole = x.count == Rows * kSide;
  alignas(64) float part[Rows * kSide * Vectors * kSide];
  float* to = whole ? c : part;
  const Index row = whole ? c_stride : Vectors * kSide;
  const auto at = [&](int tile) __attribute__((always_inline)) {
    return to + tile / Vectors * kSide * row + tile % Vectors * kSide;
  };
  for_each<Rows * Vectors>([&]<int I>() __attribute__((always_inline)) {
    add&& whole ? load_tile<I>(at(I), row * 4) : zero_tile<I>();
  });
  for (Index k = 0; k < x.steps; ++k)
    sum_words<Rows, Vectors>({x.a.data + k * kSide, x.a.row}, {b.data + k * kSide * b.row, b.row});
  if (x.left > 0) sum_words<Rows, Vectors>(x.rest, {b_rest, Vectors * kSide});
  for_each<Rows * Vectors>([&]<int I>() __attribute__((always_inline)) { store_tile<I>(at(I), row * 4); });
  if (!whole) add_rows<Vectors>(part, x.count, c, c_stride, add);
}

template <int Vectors>
EH_FORCE void panel_part(const TileRows& x, TileWords b, float* c, Index c_stride, bool add) {
  alignas(64) std::int32_t rest[kSide * Vectors * kSide];
  for (Index k = 0; k < kSide && x.left > 0; ++k)
    for (int v = 0; v < Vectors; ++v)
      store(rest + (k * Vectors + v) * kSide,
            k < x.left ? load(b.data + (x.steps * kSide + k) * b.row + v * kSide) : Vector<std::int32_t>{});
  if (x.count > kSide) return tile_block<2, Vectors>(x, b, rest, c, c_stride, add);
  tile_block<1, Vectors>(x, b, rest, c, c_stride, add);
}

/// All columns of C in those rows. A panel of four vectors is read as two of two.
inline void all_panels(const TileRows& x, const Product<AmxTiles>& p, Index first, Index depth, bool add,
                       Index row) {
  for (Index rest = ceil_div(p.columns, kSide), vectors = 0; rest > 0; rest -= vectors) {
    vectors = panel_vectors(rest);
    const Index column = (ceil_div(p.columns, kSide) - rest) * kSide;
    const TileWords b = p.b_row != 0
                            ? TileWords{p.b + column + first * p.b_row, p.b_row}
                            : TileWords{p.b + column * depth + first * vectors * kSide, vectors * kSide};
    float* c = p.c + row * p.c_stride + column;
    if (vectors == 1) panel_part<1>(x, b, c, p.c_stride, add);
    if (vectors == 3) panel_part<3>(x, b, c, p.c_stride, add);
    if (vectors == 2 || vectors == 4) panel_part<2>(x, b, c, p.c_stride, add);
    if (vectors == 4) panel_part<2>(x, {b.data + 2 * kSide, b.row}, c + 2 * kSide, p.c_stride, add);
  }
}

constexpr Index kStripRow = kDepth + kSide;  ///< words between rows of a strip: not a power of two

/// 32 rows of A, transposed or what is left of them, where tiles can be read.
struct Strip {
  alignas(64) std::int32_t words[2 * kSide * kStripRow];
};

/// Rows of A that lie along columns: a square of 16 x 16 words at a time. Words past `depth` become 0.
inline void transpose_rows(const std::int32_t* a, Index stride, Index rows, Index depth, Strip& out) {
  for (Index i = 0; i < rows; i += kSide)
    for (Index k = 0; k < depth; k += kSide) {
      Vector<std::int32_t> square[kSide];
#pragma GCC unroll 16
      for (Index r = 0; r < kSide; ++r)
        square[r] = k + r < depth ? load(a + (k + r) * stride + i) : Vector<std::int32_t>{};
      transpose<kSide>(square);
#pragma GCC unroll 16
      for (Index r = 0; r < kSide; ++r) store(out.words + (i + r) * kStripRow + k, square[r]);
    }
}

/// The last words of rows that lie along them, zeros behind.
inline void copy_rest(const std::int32_t* a, Index stride, Index rows, Index left, Strip& out) {
  for (Index i = 0; i < rows && left > 0; ++i)
    store(out.words + i * kSide, std::bit_cast<Vector<std::int32_t>>(_mm512_maskz_loadu_epi32(
                                     static_cast<__mmask16>((1u << left) - 1), a + i * stride)));
}

template <bool AlongRows>
void tile_product(const Product<AmxTiles>& p, Index first, Index depth, bool add) {
  Strip strip;
  for (Index i = 0; i < p.rows; i += 2 * kSide) {
    TileRows x{{}, depth / kSide, {}, depth % kSide, least(2 * kSide, p.rows - i)};
    if constexpr (AlongRows) {
      x.a = {p.a + i * p.a_stride + first, p.a_stride};
      copy_rest(x.a.data + x.steps * kSide, p.a_stride, x.count, x.left, strip);
      x.rest = {strip.words, kSide};
    } else {
      transpose_rows(p.a + first * p.a_stride + i, p.a_stride, x.count, depth, strip);
      x.a = {strip.words, kStripRow};
      x.rest = {strip.words + x.steps * kSide, kStripRow};
    }
    all_panels(x, p, first, p.depth, add, i);
  }
}

template <bool AlongRows>
void blocks_of_depth(const Product<AmxTiles>& p) {
  const Index blocks = most(1, ceil_div(p.depth, kDepth));
  const Index part = most(kSide, round_up(ceil_div(p.depth, blocks), kSide));
  for (Index k = 0; k == 0 || k < p.depth; k += part)
    tile_product<AlongRows>(p, k, least(part, p.depth - k), p.add || k > 0);
}

template <>
inline void multiply<AmxTiles, true>(Product<AmxTiles> p) {
  blocks_of_depth<true>(p);
}
template <>
inline void multiply<AmxTiles, false>(Product<AmxTiles> p) {
  blocks_of_depth<false>(p);
}

}  // namespace
}  // namespace eh::kernels::engine
