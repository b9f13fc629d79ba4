// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/tiles.hpp"

/// float32 from products of bfloat16: a float, cut after every eighth bit of its mantissa, is the sum of three of them.
///
/// Of the nine products of two such sums the six largest are added; what is left out is a rounding of float32 (Henry, Tang,
/// Heinecke, "Leveraging the bfloat16 artificial intelligence datatype for higher-precision computations", 2019). An
/// infinity becomes NaN, since its rest is; numbers below 2^-103 lose their last part.
namespace eh::kernels::engine {
namespace {

/// A pair of floats in three parts. Sixteen words that follow each other keep their first parts together, then the second
/// and the third ones, as a register of AMX reads them: they are addressed sixteen at a time.
struct SplitWord {
  std::int32_t part[3];
};
struct SplitVector {
  Vector<std::int32_t> part[3];
};

EH_FORCE void store(SplitWord* p, const SplitVector& v) {
  for (int i = 0; i < 3; ++i) store(reinterpret_cast<std::int32_t*>(p) + 16 * i, v.part[i]);
}
EH_FORCE SplitVector load(const SplitWord* p) {
  const auto* first = reinterpret_cast<const std::int32_t*>(p);
  return {load(first), load(first + 16), load(first + 32)};
}

struct SplitTiles : PlainTiles {
  using Real = float;
  using Word = SplitWord;
  static constexpr int kPair = 2, kParts = 3;

  static EH_FORCE SplitVector pair(Vector<float> first, Vector<float> second) {
    SplitVector out;
    for (int i = 0; i < 3; ++i) {
      const auto low = std::bit_cast<Vector<std::uint32_t>>(first) >> 16;
      const auto high = std::bit_cast<Vector<std::uint32_t>>(upper(second));
      out.part[i] = std::bit_cast<Vector<std::int32_t>>(low | high);
      first -= upper(first);
      second -= upper(second);
    }
    return out;
  }
  /// Numbers `column`, ... of a row of words.
  static EH_FORCE void store_words(Word* row, Index column, Vector<float> v) {
    char* to = reinterpret_cast<char*>(row + column / 32 * 16) + column % 32 * 2;
    for (int i = 0; i < 3; ++i, to += EH_VECTOR_BYTES) {
      const Vector<float> part = upper(v);
      const auto half = _mm512_cvtneps_pbh(part);
      __builtin_memcpy(to, &half, sizeof half);
      v -= part;
    }
  }

 private:
  static EH_FORCE Vector<float> upper(Vector<float> v) {
    return std::bit_cast<Vector<float>>(std::bit_cast<Vector<std::uint32_t>>(v) & 0xFFFF0000u);
  }
};

}  // namespace
}  // namespace eh::kernels::engine
