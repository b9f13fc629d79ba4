// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/simd.hpp"

namespace eh::kernels {

/// Transposes a block of rows, less a shift: to[f * Pitch + row] = from[row * features + f] - shift[f].
template <typename T, std::int64_t Pitch>
class TransposeBlock {
 public:
  /// @pre n <= Pitch, and `to` is aligned to 16 bytes
  static EH_SIMD_INLINE void run(const T* from, std::int64_t n, std::int64_t features, const T* shift,
                                 T* to) {
    const std::int64_t rows = features < kSide ? 0 : n / kSide * kSide;
    const std::int64_t last = features - kSide;
    for (std::int64_t row = 0; row < rows; row += kSide) {
      const T* at = from + row * features;
      for (std::int64_t f = 0; f < last; f += kSide)
        square(at + f, features, shift + f, to + f * Pitch + row);
      square(at + last, features, shift + last, to + last * Pitch + row);  // may repeat features
    }
    for (std::int64_t row = rows; row < n; ++row)
      for (std::int64_t f = 0; f < features; ++f) to[f * Pitch + row] = from[row * features + f] - shift[f];
  }

 private:
  static constexpr int kSide = 16 / static_cast<int>(sizeof(T));
  typedef T Quarter __attribute__((vector_size(16), may_alias));
  typedef T Loose __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
  typedef simd::Integer<T> Order __attribute__((vector_size(16)));

  static EH_SIMD_INLINE Quarter load(const T* at) { return *reinterpret_cast<const Loose*>(at); }
  static EH_SIMD_INLINE void store(T* at, Quarter v) { *reinterpret_cast<Quarter*>(at) = v; }

  static EH_SIMD_INLINE void square(const float* from, std::int64_t pitch, const float* shift, float* to) {
    const Quarter s = load(shift);
    const Quarter a = load(from) - s, b = load(from + pitch) - s, c = load(from + 2 * pitch) - s,
                  d = load(from + 3 * pitch) - s;
    const Quarter ab = __builtin_shuffle(a, b, Order{0, 4, 1, 5}),
                  ab2 = __builtin_shuffle(a, b, Order{2, 6, 3, 7});
    const Quarter cd = __builtin_shuffle(c, d, Order{0, 4, 1, 5}),
                  cd2 = __builtin_shuffle(c, d, Order{2, 6, 3, 7});
    store(to, __builtin_shuffle(ab, cd, Order{0, 1, 4, 5}));
    store(to + Pitch, __builtin_shuffle(ab, cd, Order{2, 3, 6, 7}));
    store(to + 2 * Pitch, __builtin_shuffle(ab2, cd2, Order{0, 1, 4, 5}));
    store(to + 3 * Pitch, __builtin_shuffle(ab2, cd2, Order{2, 3, 6, 7}));
  }
  static EH_SIMD_INLINE void square(const double* from, std::int64_t pitch, const double* shift, double* to) {
    const Quarter s = load(shift);
    const Quarter a = load(from) - s, b = load(from + pitch) - s;
    store(to, __builtin_shuffle(a, b, Order{0, 2}));
    store(to + Pitch, __builtin_shuffle(a, b, Order{1, 3}));
  }
};

}  // namespace eh::kernels
