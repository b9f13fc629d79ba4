// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <type_traits>

/// Sums and extremes along an axis that is not the innermost, reading memory once: several short rows count as one long
/// row, and a block of rows is added up in registers' type before it goes to the result's.
namespace eh::kernels {

enum class ColumnFold : std::uint8_t { Sum, Min, Max };

/// What fold_columns writes: sums are double or int64.
template <typename T, ColumnFold F>
using Folded = std::conditional_t<F != ColumnFold::Sum, T,
                                  std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>>;

/// out (outer, inner) = fold over the middle axis of a contiguous (outer, n, inner) array. Sums add at most 64 rows in
/// the type of x, then in float64; integers in int64. NaN propagates. Of no rows: zero, and for extremes what no
/// element exceeds.
/// T: float, double, uint8, int32, int64.
template <ColumnFold F, typename T>
void fold_columns(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, Folded<T, F>* out);

/// out[i] = the fold of out[i] and part[i].
template <ColumnFold F, typename T>
void merge_folds(const Folded<T, F>* part, std::int64_t size, Folded<T, F>* out);

#define EH_FOLDS(prefix, F, T)                                                                \
  prefix template void fold_columns<F, T>(const T*, std::int64_t, std::int64_t, std::int64_t, \
                                          Folded<T, F>*);                                     \
  prefix template void merge_folds<F, T>(const Folded<T, F>*, std::int64_t, Folded<T, F>*);
#define EH_FOLDS_OF(prefix, T)         \
  EH_FOLDS(prefix, ColumnFold::Sum, T) \
  EH_FOLDS(prefix, ColumnFold::Min, T) \
  EH_FOLDS(prefix, ColumnFold::Max, T)
#define EH_ALL_FOLDS(prefix)        \
  EH_FOLDS_OF(prefix, float)        \
  EH_FOLDS_OF(prefix, double)       \
  EH_FOLDS_OF(prefix, std::uint8_t) \
  EH_FOLDS_OF(prefix, std::int32_t) \
  EH_FOLDS_OF(prefix, std::int64_t)

EH_ALL_FOLDS(extern)

}  // namespace eh::kernels
