// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <vector>

#include "kernels/pairwise_sweep.hpp"

/// The step of k-means and its kin: nearest centre and sums per centre, fused.
namespace eh::kernels {
namespace {

using simd::Line;

/// The distance whose sum is the clustering's objective, from differences.
template <bool Manhattan, typename T>
EH_SIMD_INLINE double objective(const T* x, const T* y, std::int64_t features) {
  double sum = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    const T d = x[f] - y[f];
    sum += Manhattan ? static_cast<double>(std::fabs(d)) : static_cast<double>(d) * static_cast<double>(d);
  }
  return sum;
}

template <typename T, int Bytes>
struct Assign {
  using Value = typename Line<T, Bytes>::Register;
  using Number = typename Line<simd::Integer<T>, Bytes>::Register;

  const RowBlock<T>& x;
  const Panels<T>& y;
  const T* centres;
  Assignment<T>& result;
  T* shifted;  ///< room for a block of rows when there is a shift
  const T* block = nullptr;
  Line<T, Bytes> best[sweep::kBlock];
  Line<simd::Integer<T>, Bytes> panel[sweep::kBlock];

  EH_SIMD_INLINE const T* begin(std::int64_t first, std::int64_t n) {
    block = x.data + first * x.features;
    for (std::int64_t row = 0; row < n; ++row) {
      best[row].fill(std::numeric_limits<T>::infinity());
      panel[row].fill(0);
    }
    if (result.shift == nullptr) return block;
    for (std::int64_t row = 0; row < n; ++row) {
      const T* from = block + row * x.features;
      T* to = shifted + row * x.features;
      for (std::int64_t f = 0; f < x.features; ++f) to[f] = from[f] - result.shift[f];
    }
    block = shifted;
    return block;
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
  EH_SIMD_INLINE std::int64_t winner(std::int64_t row) const {
    constexpr int width = simd::kLanes<T>;
    alignas(64) T value[width];
    alignas(64) simd::Integer<T> number[width];
    best[row].store(value);
    panel[row].store(number);
    const int lanes = static_cast<int>(std::min<std::int64_t>(width, y.rows()));
    T least = value[0];
    std::int64_t place = number[0] * static_cast<std::int64_t>(width);
    for (int lane = 1; lane < lanes; ++lane) {
      const std::int64_t other = number[lane] * static_cast<std::int64_t>(width) + lane;
      const bool nearer = value[lane] < least || (value[lane] == least && other < place);
      least = nearer ? value[lane] : least;
      place = nearer ? other : place;
    }
    return place;
  }

  EH_SIMD_INLINE void add_row(const T* row, std::int64_t label, double weight) {
    double* sum = result.sums + label * x.features;
    if (result.weights == nullptr) {
      for (std::int64_t f = 0; f < x.features; ++f) sum[f] += static_cast<double>(row[f]);
    } else {
      for (std::int64_t f = 0; f < x.features; ++f) sum[f] += weight * static_cast<double>(row[f]);
    }
    result.counts[label] += weight;
  }

  EH_SIMD_INLINE void end(std::int64_t first, std::int64_t n) {
    std::int64_t changed = 0;
    for (std::int64_t row = 0; row < n; ++row) {
      const std::int64_t at = x.first + first + row;
      const std::int64_t label = winner(row);
      const double weight = result.weights == nullptr ? 1.0 : static_cast<double>(result.weights[at]);
      changed += result.labels[at] != label ? 1 : 0;
      result.labels[at] = label;
      const T* values = block + row * x.features;
      if (result.sums != nullptr) add_row(values, label, weight);
      if (result.with_total) {
        const T* centre = centres + label * x.features;
        const double d = y.metric() == Metric::Manhattan ? objective<true>(values, centre, x.features)
                                                         : objective<false>(values, centre, x.features);
        result.total += weight * d;
        if (result.distance != nullptr) result.distance[at] = static_cast<T>(d);
      }
    }
    result.changed += changed;
  }
};

}  // namespace

template <typename T>
void assign(const RowBlock<T>& x, const Panels<T>& y, const T* y_rows, Assignment<T>& result) {
  std::vector<T> shifted(result.shift == nullptr ? 0 : static_cast<std::size_t>(sweep::kBlock * x.features));
  sweep::run(x.rows, y, [&]<int Bytes>() __attribute__((always_inline)) {
    return Assign<T, Bytes>{x, y, y_rows, result, shifted.data(), nullptr, {}, {}};
  });
}

template void assign(const RowBlock<float>&, const Panels<float>&, const float*, Assignment<float>&);
template void assign(const RowBlock<double>&, const Panels<double>&, const double*, Assignment<double>&);

}  // namespace eh::kernels
