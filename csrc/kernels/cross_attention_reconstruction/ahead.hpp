// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/problem.hpp"
#include "kernels/cross_attention_reconstruction/vectors.hpp"

/// Memory of the next head on its way into the caches while this one is worked on. Rows of a head are too short for the
/// processor to foresee, and a batch is too large for its near caches.
namespace eh::kernels::engine {
namespace {

EH_FORCE Index size_of(Element element) {
  return element == Element::f64 ? 8 : element == Element::f32 ? 4 : element == Element::u8 ? 1 : 2;
}

class Ahead {
 public:
  /// @tparam Operand Tokens or TokensOut; `offset` in elements
  template <typename Operand>
  void add(const Operand& x, Index offset, Index rows, Index columns) {
    if (x.data == nullptr) return;
    const Index size = size_of(x.element);
    parts_[count_++] = {static_cast<const char*>(x.data) + offset * size, x.row * size, rows, columns * size};
  }

  /// Rows first, ..., last - 1, and, where these are the last ones of `all`, the rest. @tparam Write: to be written to
  template <int Write>
  EH_FORCE void fetch(Index first, Index last, Index all) const {
    for (int n = 0; n < count_; ++n) {
      const Part& part = parts_[n];
      const Index end = last == all ? part.rows : least(last, part.rows);
      for (Index i = first; i < end; ++i)
        for (Index byte = 0; byte < part.bytes; byte += 64)
          __builtin_prefetch(part.data + i * part.stride + byte, Write, 2);
    }
  }

 private:
  struct Part {
    const char* data;
    Index stride, rows, bytes;
  };
  Part parts_[3];
  int count_ = 0;
};

}  // namespace
}  // namespace eh::kernels::engine
