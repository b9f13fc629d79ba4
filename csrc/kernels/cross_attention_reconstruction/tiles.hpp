// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "kernels/cross_attention_reconstruction/vectors.hpp"

/// The arithmetics a matrix product may use. All of them multiply words: a word is one real number, or a pair of
/// bfloat16 that follow each other along the summed axis. Sums are kept in Real.
namespace eh::kernels::engine {
namespace {

/// What most of them have in common.
struct PlainTiles {
  static constexpr Index kRowsPast = 0;  ///< of an A along rows, which a product may read and ignore
  static constexpr bool kTileRegisters = false;
  static constexpr int kParts = 1;  ///< of a word, in vectors of their own
  struct Session {};                ///< lives while a thread computes
};

template <typename T>
struct RealTiles : PlainTiles {
  using Real = T;
  using Word = T;
  static constexpr int kPair = 1;  ///< numbers per word

  static EH_FORCE Vector<T> multiply_add(Vector<T> a, Vector<T> b, Vector<T> c) { return a * b + c; }
  /// One word per lane, of two rows that follow each other along the summed axis (the second is ignored here).
  static EH_FORCE Vector<T> pair(Vector<T> first, Vector<T>) { return first; }
  static EH_FORCE void store_words(Word* row, Index column, Vector<T> v) { store(row + column, v); }
  /// The words of a row's numbers in two vectors, of which there is only one here.
  static EH_FORCE Vector<T> words(Vector<T> numbers, Vector<T>) { return numbers; }
};

/// Words to Real: both halves of each pair.
EH_FORCE Vector<float> first_of_pair(Vector<std::int32_t> words) {
  return std::bit_cast<Vector<float>>(words << 16);
}
EH_FORCE Vector<float> second_of_pair(Vector<std::int32_t> words) {
  return std::bit_cast<Vector<float>>(words & static_cast<std::int32_t>(0xFFFF0000u));
}

/// The arithmetic of bfloat16 tiles in ordinary instructions, so that it can be tested everywhere.
struct EmulatedBf16Tiles : PlainTiles {
  using Real = float;
  using Word = std::int32_t;
  static constexpr int kPair = 2;

  static EH_FORCE Vector<float> multiply_add(Vector<Word> a, Vector<Word> b, Vector<float> c) {
    return first_of_pair(a) * first_of_pair(b) + (second_of_pair(a) * second_of_pair(b) + c);
  }
  static EH_FORCE Vector<Word> pair(Vector<float> first, Vector<float> second) {
    return std::bit_cast<Vector<Word>>((rounded(first) >> 16) | (rounded(second) & 0xFFFF0000u));
  }
  static EH_FORCE Vector<Word> words(Vector<float> low, Vector<float> high) {
    return neighbours(low, high, std::make_integer_sequence<int, kLanes<float>>{});
  }
  static EH_FORCE void store_words(Word* row, Index column, Vector<float> v) {
    store_as(reinterpret_cast<Bf16*>(row) + column, v);
  }

 private:
  /// Bits of the nearest bfloat16 in the upper half; NaN stays NaN.
  static EH_FORCE Vector<std::uint32_t> rounded(Vector<float> v) {
    const auto bits = std::bit_cast<Vector<std::uint32_t>>(v);
    return v == v ? bits + 0x7FFF + ((bits >> 16) & 1) : bits | 0x400000u;
  }
  template <int... I>
  static EH_FORCE Vector<Word> neighbours(Vector<float> low, Vector<float> high,
                                          std::integer_sequence<int, I...>) {
    return pair(__builtin_shufflevector(low, high, (2 * I)...),
                __builtin_shufflevector(low, high, (2 * I + 1)...));
  }
};

#if defined(__AVX512BF16__)
struct Bf16Tiles : PlainTiles {
  using Real = float;
  using Word = std::int32_t;
  static constexpr int kPair = 2;

  static EH_FORCE Vector<float> multiply_add(Vector<Word> a, Vector<Word> b, Vector<float> c) {
    return _mm512_dpbf16_ps(c, std::bit_cast<__m512bh>(a), std::bit_cast<__m512bh>(b));
  }
  static EH_FORCE Vector<Word> pair(Vector<float> first, Vector<float> second) {
    const auto both = std::bit_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                                           7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return std::bit_cast<Vector<Word>>(_mm512_permutexvar_epi16(order, both));
  }
  static EH_FORCE Vector<Word> words(Vector<float> low, Vector<float> high) {
    return std::bit_cast<Vector<Word>>(_mm512_cvtne2ps_pbh(high, low));
  }
  /// Numbers `column`, ... of a row of words.
  static EH_FORCE void store_words(Word* row, Index column, Vector<float> v) {
    const auto half = _mm512_cvtneps_pbh(v);
    __builtin_memcpy(reinterpret_cast<char*>(row) + 2 * column, &half, sizeof half);
  }
};
#endif

/// The arithmetic of the head: that of the attention, unless it is specialised.
template <typename T>
struct HeadOf {
  using Tiles = T;
};
template <typename T>
using HeadTiles = typename HeadOf<T>::Tiles;

}  // namespace
}  // namespace eh::kernels::engine
