// SPDX-License-Identifier: BSD-3-Clause
#include <vector>

#include "kernels/assign_few.hpp"
#include "kernels/assign_sums.hpp"
#include "kernels/pairwise_sweep.hpp"

/// The step of k-means and its kin: nearest centre and sums per centre, fused.
namespace eh::kernels {
namespace {

using simd::Line;

template <typename T, int Bytes>
struct Assign {
  using Value = typename Line<T, Bytes>::Register;
  using Number = typename Line<simd::Integer<T>, Bytes>::Register;

  const AssignmentSums<T>& sums;
  T* shifted;  ///< room for a block of rows when there is a shift
  Line<T, Bytes> best[sweep::kBlock];
  Line<simd::Integer<T>, Bytes> panel[sweep::kBlock];

  EH_SIMD_INLINE const T* begin(std::int64_t first, std::int64_t n) {
    for (std::int64_t row = 0; row < n; ++row) {
      best[row].fill(std::numeric_limits<T>::infinity());
      panel[row].fill(0);
    }
    const T* rows = sums.x.data + first * sums.x.features;
    return sums.is_shifted() ? move(rows, n) : rows;
  }

  EH_SIMD_INLINE const T* move(const T* rows, std::int64_t n) {
    const T* const shift = sums.shift();
    const std::int64_t features = sums.x.features;
    for (std::int64_t row = 0; row < n; ++row) {
      const T* from = rows + row * features;
      T* __restrict to = shifted + row * features;
      for (std::int64_t f = 0; f < features; ++f) to[f] = from[f] - shift[f];
    }
    return shifted;
  }

  EH_SIMD_INLINE void take(std::int64_t row, std::int64_t p, const Line<T, Bytes>& line) {
    const auto number = static_cast<simd::Integer<T>>(p);
    for (int i = 0; i < Line<T, Bytes>::kRegisters; ++i) {
      const auto nearer = line.reg[i] < best[row].reg[i];
      best[row].reg[i] = nearer ? line.reg[i] : best[row].reg[i];
      panel[row].reg[i] = nearer ? Number{} + number : panel[row].reg[i];
    }
  }

  /// Number of the nearest row of y; the first of equals.
  EH_SIMD_INLINE simd::Integer<T> winner(std::int64_t row) const {
    constexpr int width = simd::kLanes<T>;
    alignas(64) T value[width];
    alignas(64) simd::Integer<T> number[width];
    best[row].store(value);
    panel[row].store(number);
    const int lanes = static_cast<int>(std::min<std::int64_t>(width, sums.y.rows()));
    T least = value[0];
    std::int64_t place = number[0] * static_cast<std::int64_t>(width);
    for (int lane = 1; lane < lanes; ++lane) {
      const std::int64_t other = number[lane] * static_cast<std::int64_t>(width) + lane;
      const bool nearer = value[lane] < least || (value[lane] == least && other < place);
      least = nearer ? value[lane] : least;
      place = nearer ? other : place;
    }
    return static_cast<simd::Integer<T>>(place);
  }

  EH_SIMD_INLINE void end(std::int64_t first, std::int64_t n) {
    simd::Integer<T> labels[sweep::kBlock];
    for (std::int64_t row = 0; row < n; ++row) labels[row] = winner(row);
    sums.add(first, n, labels);
  }
};

}  // namespace

template <typename T>
void assign(const RowBlock<T>& x, const Panels<T>& y, const T* y_rows, Assignment<T>& result) {
  const AssignmentSums<T> sums(x, y, y_rows, result);
  if (y.rows() <= kFewCentres) return assign_few(sums, y_rows);
  std::vector<T> shifted(result.shift == nullptr ? 0 : static_cast<std::size_t>(sweep::kBlock * x.features));
  sweep::run(x.rows, y, [&]<int Bytes>() __attribute__((always_inline)) {
    return Assign<T, Bytes>{sums, shifted.data(), {}, {}};
  });
}

template void assign(const RowBlock<float>&, const Panels<float>&, const float*, Assignment<float>&);
template void assign(const RowBlock<double>&, const Panels<double>&, const double*, Assignment<double>&);

}  // namespace eh::kernels
