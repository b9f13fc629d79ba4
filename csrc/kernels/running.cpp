// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/running.hpp"

#include <algorithm>
#include <type_traits>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

template <typename T, Running Kind>
struct Totals {
  /// Unsigned: integers wrap around.
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
  static constexpr std::int64_t kColumns = 512;  ///< whose totals stay in the first-level cache
  static constexpr std::int64_t kRows = 8;       ///< chains of additions under way at a time

  static EH_INLINE Sum first(const T* start, std::int64_t at) {
    return start != nullptr ? static_cast<Sum>(start[at]) : static_cast<Sum>(Kind == Running::Product);
  }
  static EH_INLINE Sum next(Sum total, T value) {
    return Kind == Running::Sum ? total + static_cast<Sum>(value) : total * static_cast<Sum>(value);
  }

  static EH_INLINE void columns(const T* x, std::int64_t n, std::int64_t width, std::int64_t pitch,
                                const T* start, T* out) {
    Sum total[kColumns];
    for (std::int64_t c = 0; c < width; ++c) total[c] = first(start, c);
    for (std::int64_t i = 0; i < n; ++i) {
      const T* row = x + i * pitch;
      T* to = out + i * pitch;
      for (std::int64_t c = 0; c < width; ++c) {
        total[c] = next(total[c], row[c]);
        to[c] = static_cast<T>(total[c]);
      }
    }
  }

  /// Contiguous rows side by side: one addition waits for the one before it, those of other rows do not.
  template <std::int64_t Rows>
  static EH_INLINE void rows(const T* x, std::int64_t n, const T* start, T* out) {
    Sum total[Rows];
    for (std::int64_t r = 0; r < Rows; ++r) total[r] = first(start, r);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t r = 0; r < Rows; ++r) {
        total[r] = next(total[r], x[r * n + i]);
        out[r * n + i] = static_cast<T>(total[r]);
      }
    }
  }

  static EH_INLINE void run(const T* x, RunningExtents e, const T* start, T* out) {
    const auto from = [&](std::int64_t at) { return start != nullptr ? start + at : nullptr; };
    if (e.pitch == 1) {
      std::int64_t o = 0;
      for (; o + kRows <= e.outer; o += kRows) rows<kRows>(x + o * e.n, e.n, from(o), out + o * e.n);
      for (; o < e.outer; ++o) rows<1>(x + o * e.n, e.n, from(o), out + o * e.n);
      return;
    }
    for (std::int64_t o = 0; o < e.outer; ++o) {
      const std::int64_t block = o * e.n * e.pitch;
      for (std::int64_t c = 0; c < e.inner; c += kColumns)
        columns(x + block + c, e.n, std::min(kColumns, e.inner - c), e.pitch, from(o * e.pitch + c),
                out + block + c);
    }
  }
};

template <typename T>
void run(const T* x, const RunningExtents& extents, Running kind, const T* start, T* out) {
  if (kind == Running::Sum)
    dispatch<Totals<T, Running::Sum>>(x, extents, start, out);
  else
    dispatch<Totals<T, Running::Product>>(x, extents, start, out);
}

}  // namespace

#define EH_RUNNING(T)                                                                             \
  void running(const T* x, const RunningExtents& extents, Running kind, const T* start, T* out) { \
    run(x, extents, kind, start, out);                                                            \
  }
EH_RUNNING(float)
EH_RUNNING(double)
EH_RUNNING(std::int64_t)
#undef EH_RUNNING

}  // namespace eh::kernels
