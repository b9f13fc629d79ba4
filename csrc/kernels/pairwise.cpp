// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/pairwise.hpp"

#include <cmath>
#include <cstdlib>
#include <new>

#include "kernels/pairwise_sweep.hpp"

namespace eh::kernels {
namespace {

using simd::Line;

/// Every feature of the rows in a panel, a line each.
template <typename T>
void pack(const RowBlock<T>& y, std::int64_t begin, T* panel) {
  constexpr std::int64_t width = simd::kLanes<T>;
  const std::int64_t n = std::min(width, y.rows - begin);
  std::fill(panel, panel + y.features * width, T(0));
  for (std::int64_t lane = 0; lane < n; ++lane) {
    const T* row = y.data + (begin + lane) * y.features;
    for (std::int64_t f = 0; f < y.features; ++f) panel[f * width + lane] = row[f];
  }
}

template <typename T, int Bytes>
struct WriteDistances {
  const RowBlock<T>& x;
  const Panels<T>& y;
  bool root;
  T* out;
  std::int64_t pitch;
  const T* block = nullptr;
  T* target = nullptr;
  T norms[sweep::kBlock] = {};

  EH_SIMD_INLINE const T* begin(std::int64_t first, std::int64_t n) {
    block = x.data + first * x.features;
    target = out + (x.first + first) * pitch;
    if (y.metric() == Metric::Expanded) {
      for (std::int64_t row = 0; row < n; ++row) {
        T sum = 0;
        for (std::int64_t f = 0; f < x.features; ++f)
          sum += block[row * x.features + f] * block[row * x.features + f];
        norms[row] = sum;
      }
    }
    return block;
  }
  EH_SIMD_INLINE void take(std::int64_t row, std::int64_t p, const Line<T, Bytes>& line) {
    constexpr std::int64_t width = simd::kLanes<T>;
    alignas(64) T values[width];
    line.store(values);
    const T add = norms[row];
    T* to = target + row * pitch + p * width;
    const std::int64_t n = std::min(width, y.rows() - p * width);
    if (root) {
      for (std::int64_t i = 0; i < width; ++i) {
        const T d = values[i] + add;
        values[i] = std::sqrt(d > 0 ? d : (d == d ? T(0) : d));
      }
    } else if (y.metric() == Metric::Expanded) {
      for (std::int64_t i = 0; i < width; ++i) {
        const T d = values[i] + add;
        values[i] = d < 0 ? T(0) : d;
      }
    }
    if (n == width) {
      for (std::int64_t i = 0; i < width; ++i) to[i] = values[i];
    } else {
      for (std::int64_t i = 0; i < n; ++i) to[i] = values[i];
    }
  }
  EH_SIMD_INLINE void end(std::int64_t, std::int64_t) {}
};

}  // namespace

template <typename T>
void Panels<T>::Free::operator()(T* data) const {
  std::free(data);
}

template <typename T>
Panels<T>::Panels(const RowBlock<T>& y, Metric metric)
    : metric_(metric), rows_(y.rows), features_(y.features) {
  const std::int64_t count = (rows_ + kWidth - 1) / kWidth;
  const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(1, count * features_)) * 64;
  data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
  if (data_ == nullptr) throw std::bad_alloc();
  bias_.assign(static_cast<std::size_t>(count * kWidth), std::numeric_limits<T>::infinity());
  for (std::int64_t p = 0; p < count; ++p) {
    T* panel = data_.get() + p * features_ * kWidth;
    pack(y, p * kWidth, panel);
    for (std::int64_t lane = 0; lane < std::min<std::int64_t>(kWidth, rows_ - p * kWidth); ++lane) {
      T norm = 0;
      for (std::int64_t f = 0; f < features_ && metric == Metric::Expanded; ++f) {
        norm += panel[f * kWidth + lane] * panel[f * kWidth + lane];
      }
      bias_[static_cast<std::size_t>(p * kWidth + lane)] = norm;
    }
  }
}

template <typename T>
void distances(const RowBlock<T>& x, const Panels<T>& y, bool squared, T* out, std::int64_t pitch) {
  const bool root = !squared && y.metric() != Metric::Manhattan;
  sweep::run(x.rows, y, [&]<int Bytes>() __attribute__((always_inline)) {
    return WriteDistances<T, Bytes>{x, y, root, out, pitch};
  });
}

template class Panels<float>;
template class Panels<double>;
template void distances(const RowBlock<float>&, const Panels<float>&, bool, float*, std::int64_t);
template void distances(const RowBlock<double>&, const Panels<double>&, bool, double*, std::int64_t);

}  // namespace eh::kernels
