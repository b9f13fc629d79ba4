// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/column_folds.hpp"

#include <algorithm>
#include <limits>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

constexpr std::int64_t kBlockRows = 64;
constexpr std::int64_t kBlockColumns = 256;

template <ColumnFold F, typename T>
struct Fold {
  using Out = Folded<T, F>;
  using Lane = std::conditional_t<std::is_floating_point_v<T>, T, Out>;

  using Flag = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;  ///< as wide as an element

  static constexpr T kNone =
      std::numeric_limits<T>::has_infinity
          ? (F == ColumnFold::Min ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity())
          : (F == ColumnFold::Min ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest());
  static constexpr Out kNeutral = F == ColumnFold::Sum ? Out{} : static_cast<Out>(kNone);

  static constexpr bool kMayBeNaN = F != ColumnFold::Sum && std::is_floating_point_v<T>;

  /// Without regard to NaN.
  template <typename A>
  static EH_INLINE A both(A a, A b) {
    if constexpr (F == ColumnFold::Min) return b < a ? b : a;
    if constexpr (F == ColumnFold::Max) return b > a ? b : a;
    using U = std::make_unsigned<std::conditional_t<std::is_integral_v<A>, A, int>>::type;
    if constexpr (std::is_integral_v<A>)
      return static_cast<A>(static_cast<U>(a) + static_cast<U>(b));  // wraps
    return a + b;
  }
  static EH_INLINE Out merged(Out a, Out b) {
    if (kMayBeNaN && (a != a || b != b)) return a + b;
    return both(a, b);
  }

  /// Rows of a block of columns, `pitch` apart, folded into `out`.
  static EH_INLINE void block(const T* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
                              Out* out) {
    Lane lane[kBlockColumns];
    Flag unordered[kBlockColumns] = {};
    std::fill(lane, lane + columns, static_cast<Lane>(kNeutral));
    std::int64_t r = 0;
    for (; r + 4 <= rows; r += 4, x += 4 * pitch)
      for (std::int64_t c = 0; c < columns; ++c) {
        const T x0 = x[c], x1 = x[pitch + c], x2 = x[2 * pitch + c], x3 = x[3 * pitch + c];
        if constexpr (kMayBeNaN)
          unordered[c] |= static_cast<Flag>(static_cast<Flag>(x0 != x0 || x1 != x1) |
                                            static_cast<Flag>(x2 != x2 || x3 != x3));
        const Lane first = both(static_cast<Lane>(x0), static_cast<Lane>(x1));
        const Lane second = both(static_cast<Lane>(x2), static_cast<Lane>(x3));
        lane[c] = both(lane[c], both(first, second));
      }
    for (; r < rows; ++r, x += pitch)
      for (std::int64_t c = 0; c < columns; ++c) {
        if constexpr (kMayBeNaN) unordered[c] |= static_cast<Flag>(x[c] != x[c]);
        lane[c] = both(lane[c], static_cast<Lane>(x[c]));
      }
    for (std::int64_t c = 0; c < columns; ++c) {
      if (kMayBeNaN && unordered[c] != 0) lane[c] = std::numeric_limits<Lane>::quiet_NaN();
      out[c] = merged(out[c], static_cast<Out>(lane[c]));
    }
  }

  static EH_INLINE void columns(const T* x, std::int64_t n, std::int64_t inner, Out* out) {
    for (std::int64_t done = 0; done < n; done += kBlockRows)
      for (std::int64_t c = 0; c < inner; c += kBlockColumns)
        block(x + done * inner + c, std::min(kBlockRows, n - done), std::min(kBlockColumns, inner - c), inner,
              out + c);
  }

  /// `fold` rows count as one.
  static EH_INLINE void narrow(const T* x, std::int64_t n, std::int64_t inner, Out* out) {
    const std::int64_t fold = kBlockColumns / inner, width = fold * inner, rows = n / fold;
    Out wide[kBlockColumns];
    std::fill(wide, wide + width, kNeutral);
    columns(x, rows, width, wide);
    columns(x + rows * width, n - rows * fold, inner, out);
    for (std::int64_t f = 0; f < fold; ++f)
      for (std::int64_t c = 0; c < inner; ++c) out[c] = merged(out[c], wide[f * inner + c]);
  }

  static EH_INLINE void run(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, Out* out) {
    std::fill(out, out + outer * inner, kNeutral);
    for (std::int64_t o = 0; o < outer; ++o, x += n * inner, out += inner) {
      if (2 * inner <= kBlockColumns && n * inner >= kBlockColumns)
        narrow(x, n, inner, out);
      else
        columns(x, n, inner, out);
    }
  }
};

}  // namespace

template <ColumnFold F, typename T>
void fold_columns(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, Folded<T, F>* out) {
  dispatch<Fold<F, T>>(x, outer, n, inner, out);
}

template <ColumnFold F, typename T>
void merge_folds(const Folded<T, F>* part, std::int64_t size, Folded<T, F>* out) {
  for (std::int64_t i = 0; i < size; ++i) out[i] = Fold<F, T>::merged(out[i], part[i]);
}

EH_ALL_FOLDS()

}  // namespace eh::kernels
