// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/radius.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "kernels/pairwise_sweep.hpp"

namespace eh::kernels {
namespace {

using simd::Line;

/// The feature in which these rows differ most.
template <typename T>
std::int64_t widest(const RowBlock<T>& x, const std::int64_t* rows, std::int64_t n) {
  std::vector<T> low(x.data + rows[0] * x.features, x.data + (rows[0] + 1) * x.features);
  std::vector<T> high = low;
  for (std::int64_t i = 1; i < n; ++i) {
    const T* row = x.data + rows[i] * x.features;
    for (std::size_t f = 0; f < low.size(); ++f) {
      low[f] = std::min(low[f], row[f]);
      high[f] = std::max(high[f], row[f]);
    }
  }
  std::size_t best = 0;
  for (std::size_t f = 1; f < low.size(); ++f) {
    if (high[f] - low[f] > high[best] - low[best]) best = f;
  }
  return static_cast<std::int64_t>(best);
}

template <typename Step, typename T>
EH_SIMD_INLINE T gap(const T* low, const T* high, const T* other_low, const T* other_high,
                     std::int64_t features) {
  T sum = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    const T d = std::max(T(0), std::max(other_low[f] - high[f], low[f] - other_high[f]));
    sum += std::is_same_v<Step, sweep::ManhattanStep> ? d : d * d;
  }
  return sum;
}

template <typename T>
struct Box {
  std::vector<T> low, high;
  explicit Box(std::int64_t features) : low(static_cast<std::size_t>(features)), high(low) {}

  void around(const T* rows, std::int64_t n) {
    const auto features = static_cast<std::int64_t>(low.size());
    std::copy(rows, rows + features, low.begin());
    std::copy(rows, rows + features, high.begin());
    for (std::int64_t i = features; i < n * features; ++i) {
      const auto f = static_cast<std::size_t>(i % features);
      low[f] = std::min(low[f], rows[i]);
      high[f] = std::max(high[f], rows[i]);
    }
  }
};

/// As sweep::all_pairs, without the panels that are farther away than `limit`.
template <typename Step, int Bytes, int R, typename T, typename Consumer>
EH_SIMD_INLINE void near_pairs(const RowBlock<T>& x, const Places<T>& y, T limit, Box<T>& box,
                               Consumer& consumer) {
  constexpr T kSlack = T(1.001);  // boxes round otherwise than pairs
  const Panels<T>& panels = y.panels();
  for (std::int64_t block = 0; block < x.rows; block += sweep::kBlock) {
    const std::int64_t n = std::min(sweep::kBlock, x.rows - block);
    const T* rows = x.data + block * x.features;
    box.around(rows, n);
    consumer.block = x.first + block;
    for (std::int64_t p = 0; p < panels.count(); ++p) {
      if (gap<Step>(box.low.data(), box.high.data(), y.low(p), y.high(p), x.features) > limit * kSlack)
        continue;
      std::int64_t row = 0;
      for (; row + R <= n; row += R) sweep::rows_times_panel<Step, R, Bytes>(rows, row, panels, p, consumer);
      for (; row < n; ++row) sweep::rows_times_panel<Step, 1, Bytes>(rows, row, panels, p, consumer);
    }
  }
}

/// Calls hit(row, number of the row of y) for pairs within the limit.
template <typename T, int Bytes, typename Hit>
struct Hits {
  const Hit& hit;
  T limit;
  std::int64_t block = 0;

  EH_SIMD_INLINE void take(std::int64_t row, std::int64_t p, const Line<T, Bytes>& line) {
    constexpr std::int64_t width = simd::kLanes<T>;
    alignas(64) T values[width];
    line.store(values);
    int found = 0;
    for (std::int64_t i = 0; i < width; ++i) found += values[i] <= limit ? 1 : 0;
    if (found == 0) return;
    for (std::int64_t i = 0; i < width; ++i) {
      if (values[i] <= limit) hit(block + row, p * width + i);
    }
  }
};

template <typename T, typename Hit>
void visit(const RowBlock<T>& x, const Places<T>& y, double radius, const Hit& hit) {
  const bool manhattan = y.panels().metric() == Metric::Manhattan;
  // Never infinite: the places that fill up a panel lie at infinity.
  constexpr double kMost = std::numeric_limits<T>::max();
  const auto limit = static_cast<T>(std::min(manhattan ? radius : radius * radius, kMost));
  Box<T> box(x.features);
  simd::run([&]<int Bytes, int R>() __attribute__((always_inline)) {
    Hits<T, Bytes, Hit> consumer{hit, limit};
    if (manhattan) {
      near_pairs<sweep::ManhattanStep, Bytes, R>(x, y, limit, box, consumer);
    } else {
      near_pairs<sweep::SquaredStep, Bytes, R>(x, y, limit, box, consumer);
    }
  });
}

}  // namespace

template <typename T>
std::vector<std::int64_t> spatial_order(const RowBlock<T>& x) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.rows));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::vector<std::pair<std::int64_t, std::int64_t>> open{{0, x.rows}};
  while (!open.empty()) {
    const auto [begin, end] = open.back();
    open.pop_back();
    if (end - begin <= Panels<T>::kWidth) continue;
    std::int64_t* const rows = order.data();
    const std::int64_t f = widest(x, rows + begin, end - begin);
    // Whole panels on the left, so that leaves and panels coincide.
    const std::int64_t panels = (end - begin + Panels<T>::kWidth - 1) / Panels<T>::kWidth;
    const std::int64_t middle = begin + (panels / 2) * Panels<T>::kWidth;
    std::nth_element(rows + begin, rows + middle, rows + end, [&](std::int64_t a, std::int64_t b) {
      return x.data[a * x.features + f] < x.data[b * x.features + f];
    });
    open.emplace_back(begin, middle);
    open.emplace_back(middle, end);
  }
  return order;
}

template <typename T>
Places<T>::Places(const RowBlock<T>& y, Metric metric) : panels_(y, metric) {
  Box<T> box(y.features);
  for (std::int64_t row = 0; row < y.rows; row += Panels<T>::kWidth) {
    box.around(y.data + row * y.features, std::min<std::int64_t>(Panels<T>::kWidth, y.rows - row));
    low_.insert(low_.end(), box.low.begin(), box.low.end());
    high_.insert(high_.end(), box.high.begin(), box.high.end());
  }
}

template <typename T>
void count_within(const RowBlock<T>& x, const Places<T>& y, double radius, const double* weights,
                  double* counts) {
  visit(x, y, radius,
        [=](std::int64_t i, std::int64_t j) { counts[i] += weights == nullptr ? 1.0 : weights[j]; });
}

template <typename T>
void unite_within(const RowBlock<T>& x, const Places<T>& y, double radius, Uniter& uniter) {
  visit(x, y, radius, [&](std::int64_t i, std::int64_t j) { uniter.unite(i, j); });
}

template <typename T>
void least_within(const RowBlock<T>& x, const Places<T>& y, double radius, const std::int64_t* label,
                  std::int64_t* least) {
  visit(x, y, radius, [=](std::int64_t i, std::int64_t j) { least[i] = std::min(least[i], label[j]); });
}

#define EH_INSTANTIATE(T)                                                                           \
  template std::vector<std::int64_t> spatial_order(const RowBlock<T>&);                             \
  template class Places<T>;                                                                         \
  template void count_within(const RowBlock<T>&, const Places<T>&, double, const double*, double*); \
  template void unite_within(const RowBlock<T>&, const Places<T>&, double, Uniter&);                \
  template void least_within(const RowBlock<T>&, const Places<T>&, double, const std::int64_t*,     \
                             std::int64_t*);
EH_INSTANTIATE(float)
EH_INSTANTIATE(double)

}  // namespace eh::kernels
