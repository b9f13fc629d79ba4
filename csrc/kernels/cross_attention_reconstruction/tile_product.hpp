// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

#include "kernels/cross_attention_reconstruction/gemm.hpp"
#include "kernels/cross_attention_reconstruction/split_tiles.hpp"

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

/// An arithmetic whose words these registers multiply.
template <typename Tiles>
struct Amx : Tiles {
  static constexpr Index kRowsPast = 31;
  static constexpr bool kTileRegisters = true;
  /// The registers are in use while it lives. @pre the process may use them (dispatch.cpp asks)
  struct Session {
    Session() { asm volatile("ldtilecfg %0" ::"m"(kTileShapes)); }
    ~Session() { asm volatile("tilerelease"); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
  };
};

constexpr Index kSide = 16;    ///< rows of a register, words of a row, numbers of a row of C
constexpr int kA = 4, kB = 6;  ///< first of two registers each; 0 to 3 hold C

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
template <int C, int A, int B>
EH_FORCE void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(C), "i"(A), "i"(B));
}

/// Calls f<0>(), ..., f<N - 1>().
template <int N, typename F>
EH_FORCE void for_each(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f.template operator()<I>(), ...);
  }(std::make_integer_sequence<int, N>{});
}

/// Words of A or B, and where one row of them follows the other.
template <typename T>
struct TileWords {
  const typename T::Word* data;
  Index row;

  TileWords at(Index i, Index k) const { return {data + i * row + k, row}; }
};

template <int Tile, typename T>
EH_FORCE void load_part(TileWords<T> x, int part) {
  load_tile<Tile>(reinterpret_cast<const char*>(x.data) + part * EH_VECTOR_BYTES,
                  x.row * static_cast<Index>(sizeof(typename T::Word)));
}

/// C += parts P of A and Q of B, which are loaded unless they are in their registers.
template <int Rows, int Vectors, int P, int Q, bool LoadA, bool LoadB, typename T>
EH_FORCE void sum_parts(TileWords<T> a, TileWords<T> b) {
  for_each<Rows>([&]<int I>() __attribute__((always_inline)) {
    if constexpr (LoadA) load_part<kA + I>(a.at(I * kSide, 0), P);
    for_each<Vectors>([&]<int V>() __attribute__((always_inline)) {
      if constexpr (LoadB && I == 0) load_part<kB + V>(b.at(0, V * kSide), Q);
      multiply_tiles<I * Vectors + V, kA + I, kB + V>();
    });
  });
}

/// C += 16 summed words of A and B. @tparam Rows, Vectors: of registers, up to two
template <int Rows, int Vectors, typename T>
EH_FORCE void sum_words(TileWords<T> a, TileWords<T> b) {
  if constexpr (T::kParts == 1) {
    sum_parts<Rows, Vectors, 0, 0, true, true>(a, b);
  } else {  // from one pair of parts to the next only one of them changes
    sum_parts<Rows, Vectors, 1, 1, true, true>(a, b);
    sum_parts<Rows, Vectors, 1, 0, false, true>(a, b);
    sum_parts<Rows, Vectors, 2, 0, true, false>(a, b);
    sum_parts<Rows, Vectors, 0, 0, true, false>(a, b);
    sum_parts<Rows, Vectors, 0, 1, false, true>(a, b);
    sum_parts<Rows, Vectors, 0, 2, false, true>(a, b);
  }
}

/// Up to 32 rows of A over all of a product's depth.
template <typename T>
struct TileRows {
  TileWords<T> a;
  Index steps;        ///< of 16 words
  TileWords<T> rest;  ///< what is left of them, zeros behind it
  Index left;         ///< words of it
  Index count;        ///< rows
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
template <typename T, int Rows, int Vectors>
__attribute__((noinline)) void tile_block(const TileRows<T>& x, TileWords<T> b, TileWords<T> b_rest, float* c,
                                          Index c_stride, bool add) {
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
  for (Index k = 0; k < x.steps; ++k) sum_words<Rows, Vectors>(x.a.at(0, k * kSide), b.at(k * kSide, 0));
  if (x.left > 0) sum_words<Rows, Vectors>(x.rest, b_rest);
  for_each<Rows * Vectors>([&]<int I>() __attribute__((always_inline)) { store_tile<I>(at(I), row * 4); });
  if (!whole) add_rows<Vectors>(part, x.count, c, c_stride, add);
}

template <typename T, int Vectors>
EH_FORCE void panel_part(const TileRows<T>& x, TileWords<T> b, float* c, Index c_stride, bool add) {
  alignas(64) typename T::Word rest[kSide * Vectors * kSide];
  for (Index k = 0; k < kSide && x.left > 0; ++k)
    for (int v = 0; v < Vectors; ++v) {
      const TileWords<T> from = b.at(x.steps * kSide + k, v * kSide);
      store(rest + (k * Vectors + v) * kSide, k < x.left ? load(from.data) : decltype(load(from.data)){});
    }
  const TileWords<T> b_rest{rest, Vectors * kSide};
  if (x.count > kSide) return tile_block<T, 2, Vectors>(x, b, b_rest, c, c_stride, add);
  tile_block<T, 1, Vectors>(x, b, b_rest, c, c_stride, add);
}

/// All columns of C in those rows.
template <typename T>
void all_panels(const TileRows<T>& x, const Product<T>& p, Index first, Index depth, bool add, Index row) {
  for (Index rest = ceil_div(p.columns, kSide), vectors = 0; rest > 0; rest -= vectors) {
    vectors = panel_vectors<T>(rest);
    const Index column = (ceil_div(p.columns, kSide) - rest) * kSide;
    const TileWords<T> b =
        p.b_row != 0 ? TileWords<T>{p.b + column + first * p.b_row, p.b_row}
                     : TileWords<T>{p.b + column * depth + first * vectors * kSide, vectors * kSide};
    float* c = p.c + row * p.c_stride + column;
    vectors == 1 ? panel_part<T, 1>(x, b, c, p.c_stride, add) : panel_part<T, 2>(x, b, c, p.c_stride, add);
  }
}

/// Summed words in one go, so that the rows of A and a panel stay in the first-level cache.
template <typename T>
constexpr Index kTileDepth = kDepth / (T::kParts > 1 ? 4 : 1);

/// 32 rows of A, transposed or what is left of them, where tiles can be read.
template <typename T>
struct Strip {
  static constexpr Index kRow = kTileDepth<T> + kSide;  ///< words: not a power of two
  alignas(64) typename T::Word words[2 * kSide * kRow];
};

/// Rows of A that lie along columns: a square of 16 x 16 words at a time. Words past `depth` become 0.
template <typename T>
void transpose_rows(const typename T::Word* a, Index stride, Index rows, Index depth, Strip<T>& out) {
  const auto part_of = [](auto* words, int part) __attribute__((always_inline)) {
    return reinterpret_cast<std::int32_t*>(const_cast<typename T::Word*>(words)) + part * kSide;
  };
  for (Index i = 0; i < rows; i += kSide)
    for (Index k = 0; k < depth; k += kSide)
      for (int part = 0; part < T::kParts; ++part) {
        Vector<std::int32_t> square[kSide];
#pragma GCC unroll 16
        for (Index r = 0; r < kSide; ++r)
          square[r] = k + r < depth ? load(part_of(a + (k + r) * stride + i, part)) : Vector<std::int32_t>{};
        transpose<kSide>(square);
#pragma GCC unroll 16
        for (Index r = 0; r < kSide; ++r)
          store(part_of(out.words + (i + r) * Strip<T>::kRow + k, part), square[r]);
      }
}

/// The last words of rows that lie along them, zeros behind.
template <typename T>
void copy_rest(const typename T::Word* a, Index stride, Index rows, Index left, Strip<T>& out) {
  const auto mask = static_cast<__mmask16>((1u << left) - 1);
  for (Index i = 0; i < rows && left > 0; ++i)
    for (int part = 0; part < T::kParts; ++part) {
      const auto* from = reinterpret_cast<const std::int32_t*>(a + i * stride) + part * kSide;
      store(reinterpret_cast<std::int32_t*>(out.words + i * kSide) + part * kSide,
            std::bit_cast<Vector<std::int32_t>>(_mm512_maskz_loadu_epi32(mask, from)));
    }
}

template <typename T, bool AlongRows>
void tile_product(const Product<T>& p, Index first, Index depth, bool add) {
  Strip<T> strip;
  for (Index i = 0; i < p.rows; i += 2 * kSide) {
    TileRows<T> x{{}, depth / kSide, {}, depth % kSide, least(2 * kSide, p.rows - i)};
    if constexpr (AlongRows) {
      x.a = {p.a + i * p.a_stride + first, p.a_stride};
      copy_rest<T>(x.a.data + x.steps * kSide, p.a_stride, x.count, x.left, strip);
      x.rest = {strip.words, kSide};
    } else {
      transpose_rows<T>(p.a + first * p.a_stride + i, p.a_stride, x.count, depth, strip);
      x.a = {strip.words, Strip<T>::kRow};
      x.rest = x.a.at(0, x.steps * kSide);
    }
    all_panels(x, p, first, p.depth, add, i);
  }
}

template <typename T, bool AlongRows>
  requires T::kTileRegisters
void multiply(Product<T> p) {
  const Index blocks = most(1, ceil_div(p.depth, kTileDepth<T>));
  const Index part = most(kSide, round_up(ceil_div(p.depth, blocks), kSide));
  for (Index k = 0; k == 0 || k < p.depth; k += part)
    tile_product<T, AlongRows>(p, k, least(part, p.depth - k), p.add || k > 0);
}

}  // namespace
}  // namespace eh::kernels::engine
