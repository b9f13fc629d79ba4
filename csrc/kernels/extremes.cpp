// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/extremes.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

constexpr std::int64_t kBlock = 2048;  ///< elements whose extreme is found before its position is looked for

/// Vectors are written out: compilers do not turn a minimum that minds NaN into one by themselves.
template <typename T, bool Largest>
struct FirstExtreme {
  static constexpr int kLanes = 32 / sizeof(T);
  static constexpr int kStep = 4 * kLanes;
  typedef T Vector __attribute__((vector_size(32)));

  static EH_INLINE bool better(T a, T b) { return Largest ? a > b : a < b; }
  static EH_INLINE void join(Vector& a, const Vector& b) { a = Largest ? (b > a ? b : a) : (b < a ? b : a); }
  static EH_INLINE void take(const T* x, Vector& best, Vector& odd) {
    Vector v;
    std::memcpy(&v, x, sizeof(v));
    join(best, v);
    if constexpr (std::is_floating_point_v<T>) odd += v - v;
  }

  /// The block's extreme. `odd` becomes NaN if there is a NaN, or an infinity.
  static EH_INLINE T of_block(const T* x, std::int64_t n, T& odd) {
    T best = x[0];
    std::int64_t i = 0;
    if (n >= kStep) {
      Vector lane[4];
      Vector spread[4] = {};
      std::memcpy(lane, x, sizeof(lane));
      for (; i + kStep <= n; i += kStep) {
        take(x + i, lane[0], spread[0]);
        take(x + i + kLanes, lane[1], spread[1]);
        take(x + i + 2 * kLanes, lane[2], spread[2]);
        take(x + i + 3 * kLanes, lane[3], spread[3]);
      }
      join(lane[0], lane[1]);
      join(lane[2], lane[3]);
      join(lane[0], lane[2]);
      const Vector sum = (spread[0] + spread[1]) + (spread[2] + spread[3]);
      for (int l = 0; l < kLanes; ++l) {
        best = better(lane[0][l], best) ? lane[0][l] : best;
        if constexpr (std::is_floating_point_v<T>) odd += sum[l];
      }
    }
    for (; i < n; ++i) {
      best = better(x[i], best) ? x[i] : best;
      if constexpr (std::is_floating_point_v<T>) odd += x[i] - x[i];
    }
    return best;
  }

  /// Position of the first element equal to `value`, which is there.
  static EH_INLINE std::int64_t find(const T* x, std::int64_t n, T value) {
    std::int64_t i = 0;
    for (; i + kStep <= n; i += kStep) {
      Vector v[4];
      std::memcpy(v, x + i, sizeof(v));
      const auto equal = (v[0] == value) | (v[1] == value) | (v[2] == value) | (v[3] == value);
      std::uint64_t words[4];
      std::memcpy(words, &equal, sizeof(words));
      if ((words[0] | words[1] | words[2] | words[3]) != 0) break;
    }
    while (x[i] != value) ++i;
    return i;
  }

  /// Position of the first NaN, n without one.
  static EH_INLINE std::int64_t find_nan(const T* x, std::int64_t n) {
    std::int64_t i = 0;
    while (i < n && x[i] == x[i]) ++i;
    return i;
  }

  static EH_INLINE std::int64_t of_row(const T* x, std::int64_t n) {
    std::int64_t where = 0;
    T best = x[0];
    for (std::int64_t begin = 0; begin < n; begin += kBlock) {
      const std::int64_t size = std::min(kBlock, n - begin);
      T odd = 0;
      const T value = of_block(x + begin, size, odd);
      if (odd != odd) {
        const std::int64_t nan = find_nan(x + begin, size);
        if (nan < size) return begin + nan;
      }
      if (begin > 0 && !better(value, best)) continue;
      best = value;
      where = begin;
    }
    return where + find(x + where, n - where, best);
  }

  static EH_INLINE void run(const T* x, std::int64_t rows, std::int64_t n, std::int64_t* out) {
    for (std::int64_t row = 0; row < rows; ++row) out[row] = of_row(x + row * n, n);
  }
};

/// A block of columns at a time keeps its best values and their rows in the cache.
template <typename T, bool Largest>
struct FirstExtremeAcross {
  static constexpr std::int64_t kColumns = 256;

  static EH_INLINE bool replaces(T value, T best) {
    const bool better = Largest ? value > best : value < best;
    if constexpr (std::is_floating_point_v<T>) return better | ((value != value) & (best == best));
    return better;
  }

  static EH_INLINE void of_columns(const T* x, std::int64_t n, std::int64_t inner, std::int64_t columns,
                                   std::int64_t* out) {
    T best[kColumns];
    std::int32_t where[kColumns] = {};
    std::copy(x, x + columns, best);
    for (std::int64_t i = 1; i < n; ++i) {
      const T* row = x + i * inner;
      const auto here = static_cast<std::int32_t>(i);
      for (std::int64_t j = 0; j < columns; ++j) {
        const bool take = replaces(row[j], best[j]);
        best[j] = take ? row[j] : best[j];
        where[j] = take ? here : where[j];
      }
    }
    std::copy(where, where + columns, out);
  }

  static EH_INLINE void run(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner,
                            std::int64_t* out) {
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t j = 0; j < inner; j += kColumns)
        of_columns(x + o * n * inner + j, n, inner, std::min(kColumns, inner - j), out + o * inner + j);
    }
  }
};

template <typename T>
void find_across(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, bool largest,
                 std::int64_t* out) {
  if (largest)
    dispatch<FirstExtremeAcross<T, true>>(x, outer, n, inner, out);
  else
    dispatch<FirstExtremeAcross<T, false>>(x, outer, n, inner, out);
}

template <typename T>
void find_all(const T* x, std::int64_t rows, std::int64_t n, bool largest, std::int64_t* out) {
  if (largest)
    dispatch<FirstExtreme<T, true>>(x, rows, n, out);
  else
    dispatch<FirstExtreme<T, false>>(x, rows, n, out);
}

}  // namespace

#define EH_FIRST_EXTREME(T)                                                                            \
  void first_extreme(const T* x, std::int64_t rows, std::int64_t n, bool largest, std::int64_t* out) { \
    find_all(x, rows, n, largest, out);                                                                \
  }                                                                                                    \
  void first_extreme_across(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner,        \
                            bool largest, std::int64_t* out) {                                         \
    find_across(x, outer, n, inner, largest, out);                                                     \
  }
EH_FIRST_EXTREME(float)
EH_FIRST_EXTREME(double)
EH_FIRST_EXTREME(std::int8_t)
EH_FIRST_EXTREME(std::uint8_t)
EH_FIRST_EXTREME(std::int16_t)
EH_FIRST_EXTREME(std::int32_t)
EH_FIRST_EXTREME(std::int64_t)
#undef EH_FIRST_EXTREME

}  // namespace eh::kernels
