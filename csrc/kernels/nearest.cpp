// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <type_traits>

#include "kernels/pairwise_sweep.hpp"

/// Neighbours, sums and minima over pairs, none of which keeps the distances.
namespace eh::kernels {
namespace {

using simd::Line;

/// One row's k nearest so far, kept sorted.
template <typename T>
EH_SIMD_INLINE void insert(T distance, std::int64_t number, std::int64_t k, T* best, std::int64_t* index) {
  std::int64_t place = k - 1;
  for (; place > 0 &&
         (best[place - 1] > distance || (best[place - 1] == distance && index[place - 1] > number));
       --place) {
    best[place] = best[place - 1];
    index[place] = index[place - 1];
  }
  best[place] = distance;
  index[place] = number;
}

template <typename T, int Bytes>
struct KeepNearest {
  const RowBlock<T>& x;
  const Panels<T>& y;
  const std::int64_t* number;
  std::int64_t k;
  T* best;
  std::int64_t* index;
  std::int64_t block = 0;

  EH_SIMD_INLINE const T* begin(std::int64_t first, std::int64_t) {
    block = x.first + first;
    return x.data + first * x.features;
  }
  EH_SIMD_INLINE void take(std::int64_t row, std::int64_t p, const Line<T, Bytes>& line) {
    constexpr std::int64_t width = simd::kLanes<T>;
    alignas(64) T values[width];
    line.store(values);
    T* row_best = best + (block + row) * k;
    std::int64_t* row_index = index + (block + row) * k;
    T worst = row_best[k - 1];
    int candidates = 0;
    for (std::int64_t i = 0; i < width; ++i) candidates += values[i] <= worst ? 1 : 0;
    if (candidates == 0) return;
    const std::int64_t n = std::min(width, y.rows() - p * width);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t own = number[p * width + i];
      if (values[i] < worst || (values[i] == worst && own < row_index[k - 1])) {
        insert(values[i], own, k, row_best, row_index);
        worst = row_best[k - 1];
      }
    }
  }
  EH_SIMD_INLINE void end(std::int64_t, std::int64_t) {}
};

template <typename T, int Bytes>
struct AddByGroup {
  const RowBlock<T>& x;
  const Panels<T>& y;
  const std::int64_t* group;
  std::int64_t groups;
  double* sums;
  bool root;
  std::int64_t block = 0;

  EH_SIMD_INLINE const T* begin(std::int64_t first, std::int64_t) {
    block = x.first + first;
    return x.data + first * x.features;
  }
  EH_SIMD_INLINE void take(std::int64_t row, std::int64_t p, const Line<T, Bytes>& line) {
    constexpr std::int64_t width = simd::kLanes<T>;
    alignas(64) T values[width];
    line.store(values);
    if (root) {
      for (std::int64_t i = 0; i < width; ++i) values[i] = std::sqrt(values[i]);
    }
    const std::int64_t n = std::min(width, y.rows() - p * width);
    double* to = sums + (block + row) * groups;
    for (std::int64_t i = 0; i < n; ++i) to[group[p * width + i]] += static_cast<double>(values[i]);
  }
  EH_SIMD_INLINE void end(std::int64_t, std::int64_t) {}
};

template <typename T, int Bytes>
struct Cover {
  const RowBlock<T>& x;
  const Panels<T>& y;
  const T* weights;
  bool update;
  T* closest;
  double* potential;
  std::int64_t block = 0;
  T nearest[sweep::kBlock] = {};

  EH_SIMD_INLINE const T* begin(std::int64_t first, std::int64_t n) {
    block = x.first + first;
    for (std::int64_t row = 0; row < n; ++row) nearest[row] = closest[block + row];
    return x.data + first * x.features;
  }
  EH_SIMD_INLINE void take(std::int64_t row, std::int64_t p, const Line<T, Bytes>& line) {
    constexpr std::int64_t width = simd::kLanes<T>;
    alignas(64) T values[width];
    line.store(values);
    const T before = closest[block + row];
    const T weight = weights == nullptr ? T(1) : weights[block + row];
    const std::int64_t n = std::min(width, y.rows() - p * width);
    T least = nearest[row];
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = values[i] < before ? values[i] : before;
      least = d < least ? d : least;
      values[i] = weight * d;
    }
    nearest[row] = least;
    if (potential == nullptr) return;
    for (std::int64_t i = 0; i < n; ++i) potential[p * width + i] += static_cast<double>(values[i]);
  }
  EH_SIMD_INLINE void end(std::int64_t, std::int64_t n) {
    if (!update) return;
    for (std::int64_t row = 0; row < n; ++row) closest[block + row] = nearest[row];
  }
};

}  // namespace

template <typename T>
void nearest(const RowBlock<T>& x, const Panels<T>& y, const std::int64_t* number, std::int64_t k, T* best,
             std::int64_t* index) {
  sweep::run(x.rows, y, [&]<int Bytes>() __attribute__((always_inline)) {
    return KeepNearest<T, Bytes>{x, y, number, k, best, index};
  });
}

template <typename T>
void sum_by_group(const RowBlock<T>& x, const Panels<T>& y, const std::int64_t* group, std::int64_t groups,
                  double* sums) {
  const bool root = y.metric() == Metric::Squared;
  sweep::run(x.rows, y, [&]<int Bytes>() __attribute__((always_inline)) {
    return AddByGroup<T, Bytes>{x, y, group, groups, sums, root};
  });
}

template <typename T>
void cover(const RowBlock<T>& x, const Panels<T>& y, const T* weights, bool update, T* closest,
           double* potential) {
  sweep::run(x.rows, y, [&]<int Bytes>() __attribute__((always_inline)) {
    return Cover<T, Bytes>{x, y, weights, update, closest, potential};
  });
}

#define EH_INSTANTIATE(T)                                                                             \
  template void nearest(const RowBlock<T>&, const Panels<T>&, const std::int64_t*, std::int64_t, T*,  \
                        std::int64_t*);                                                               \
  template void sum_by_group(const RowBlock<T>&, const Panels<T>&, const std::int64_t*, std::int64_t, \
                             double*);                                                                \
  template void cover(const RowBlock<T>&, const Panels<T>&, const T*, bool, T*, double*);
EH_INSTANTIATE(float)
EH_INSTANTIATE(double)

}  // namespace eh::kernels
