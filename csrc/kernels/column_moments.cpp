// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/column_moments.hpp"

#include <algorithm>
#include <limits>

#include "kernels/simd.hpp"

namespace eh::kernels {
namespace {

constexpr std::int64_t kBlock = 128;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Sums of a block of rows about its first one.
template <typename T>
struct Sums {
  double weight = 0;
  std::vector<T> pivot, min, max;
  std::vector<double> first, second;

  explicit Sums(std::int64_t features) {
    const auto n = static_cast<std::size_t>(features);
    pivot.resize(n);
    min.resize(n);
    max.resize(n);
    first.resize(n);
    second.resize(n);
  }
};

template <bool Weighted, typename T>
EH_SIMD_INLINE void add_rows(const T* data, std::int64_t rows, std::int64_t features, const T* weights,
                             Sums<T>& to) {
  const T* __restrict pivot = to.pivot.data();
  double* __restrict first = to.first.data();
  double* __restrict second = to.second.data();
  T* __restrict least = to.min.data();
  T* __restrict most = to.max.data();
  for (std::int64_t row = 0; row < rows; ++row) {
    const T* __restrict x = data + row * features;
    const double w = Weighted ? static_cast<double>(weights[row]) : 1.0;
    for (std::int64_t f = 0; f < features; ++f) {
      const double d = static_cast<double>(x[f]) - static_cast<double>(pivot[f]);
      const double wd = Weighted ? w * d : d;
      first[f] += wd;
      second[f] += wd * d;
      least[f] = x[f] < least[f] ? x[f] : least[f];
      most[f] = x[f] > most[f] ? x[f] : most[f];
    }
    to.weight += w;
  }
}

template <typename T>
void start(const T* data, std::int64_t features, Sums<T>& sums) {
  sums.weight = 0;
  std::copy(data, data + features, sums.pivot.begin());
  std::copy(data, data + features, sums.min.begin());
  std::copy(data, data + features, sums.max.begin());
  std::fill(sums.first.begin(), sums.first.end(), 0.0);
  std::fill(sums.second.begin(), sums.second.end(), 0.0);
}

template <typename T>
void close(const Sums<T>& sums, ColumnMoments& block) {
  block.count = sums.weight;
  const double inverse = sums.weight > 0 ? 1.0 / sums.weight : 0.0;
  for (std::size_t f = 0; f < block.mean.size(); ++f) {
    const double shift = sums.first[f] * inverse;
    block.mean[f] = static_cast<double>(sums.pivot[f]) + shift;
    block.m2[f] = std::max(0.0, sums.second[f] - sums.first[f] * shift);
    if (sums.second[f] != sums.second[f]) block.m2[f] = sums.second[f];
    block.min[f] = static_cast<double>(sums.min[f]);
    block.max[f] = static_cast<double>(sums.max[f]);
  }
}

}  // namespace

ColumnMoments::ColumnMoments(std::int64_t features)
    : mean(static_cast<std::size_t>(features)),
      m2(mean.size()),
      min(mean.size(), kInfinity),
      max(mean.size(), -kInfinity) {}

void ColumnMoments::merge(const ColumnMoments& other) {
  const double total = count + other.count;
  const double share = total > 0 ? other.count / total : 0.0;
  for (std::size_t f = 0; f < mean.size(); ++f) {
    const double d = other.mean[f] - mean[f];
    if (count == 0) {
      mean[f] = other.mean[f];
      m2[f] = other.m2[f];
    } else {
      mean[f] += d * share;
      m2[f] += other.m2[f] + d * d * count * share;
    }
    min[f] = std::min(min[f], other.min[f]);
    max[f] = std::max(max[f], other.max[f]);
  }
  count = total;
}

template <typename T>
void column_moments(const RowBlock<T>& x, const T* weights, ColumnMoments& moments) {
  Sums<T> sums(x.features);
  ColumnMoments block(x.features);
  for (std::int64_t row = 0; row < x.rows; row += kBlock) {
    const std::int64_t n = std::min(kBlock, x.rows - row);
    const T* data = x.data + row * x.features;
    start(data, x.features, sums);
    simd::run([&]<int, int>() __attribute__((always_inline)) {
      if (weights == nullptr) {
        add_rows<false>(data, n, x.features, weights, sums);
      } else {
        add_rows<true>(data, n, x.features, weights + x.first + row, sums);
      }
    });
    close(sums, block);
    if (block.count > 0 || weights == nullptr) moments.merge(block);
  }
}

template <typename T>
void scale_columns(const RowBlock<T>& x, const double* shift, const double* factor, T* out) {
  const std::vector<double> zeros(shift == nullptr ? static_cast<std::size_t>(x.features) : 0, 0.0);
  const std::vector<double> ones(factor == nullptr ? static_cast<std::size_t>(x.features) : 0, 1.0);
  const double* __restrict a = shift == nullptr ? zeros.data() : shift;
  const double* __restrict b = factor == nullptr ? ones.data() : factor;
  simd::run([&]<int, int>() __attribute__((always_inline)) {
    for (std::int64_t row = 0; row < x.rows; ++row) {
      const T* from = x.data + row * x.features;
      T* to = out + row * x.features;
      for (std::int64_t f = 0; f < x.features; ++f) {
        to[f] = static_cast<T>((static_cast<double>(from[f]) - a[f]) * b[f]);
      }
    }
  });
}

template void column_moments(const RowBlock<float>&, const float*, ColumnMoments&);
template void column_moments(const RowBlock<double>&, const double*, ColumnMoments&);
template void scale_columns(const RowBlock<float>&, const double*, const double*, float*);
template void scale_columns(const RowBlock<double>&, const double*, const double*, double*);

}  // namespace eh::kernels
