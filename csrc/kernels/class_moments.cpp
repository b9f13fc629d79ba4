// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/class_moments.hpp"

#include <algorithm>

#include "kernels/simd.hpp"

namespace eh::kernels {
namespace {

/// first += w d, second += w d^2 with d = x - pivot.
template <typename T>
EH_SIMD_INLINE void add_row(const T* __restrict x, const T* __restrict pivot, double w, std::int64_t features,
                            double* __restrict first, double* __restrict second) {
  for (std::int64_t f = 0; f < features; ++f) {
    const double d = static_cast<double>(x[f]) - static_cast<double>(pivot[f]);
    first[f] += w * d;
    second[f] += w * d * d;
  }
}

/// Sum of (x - mean)^2 precision.
template <typename T>
EH_SIMD_INLINE double weighted_square(const T* __restrict x, const double* __restrict mean,
                                      const double* __restrict precision, std::int64_t features) {
  constexpr int kSums = 8;
  double sums[kSums] = {};
  std::int64_t f = 0;
  for (; f + kSums <= features; f += kSums) {
    for (int i = 0; i < kSums; ++i) {
      const double d = static_cast<double>(x[f + i]) - mean[f + i];
      sums[i] += d * d * precision[f + i];
    }
  }
  double rest = 0;
  for (; f < features; ++f) {
    const double d = static_cast<double>(x[f]) - mean[f];
    rest += d * d * precision[f];
  }
  for (double sum : sums) rest += sum;
  return rest;
}

}  // namespace

ClassMoments::ClassMoments(std::int64_t classes, std::int64_t n)
    : features(n),
      count(static_cast<std::size_t>(classes)),
      mean(static_cast<std::size_t>(classes * n)),
      m2(static_cast<std::size_t>(classes * n)) {}

void ClassMoments::merge(const ClassMoments& other) {
  const auto n = static_cast<std::size_t>(features);
  for (std::size_t c = 0; c < count.size(); ++c) {
    const double total = count[c] + other.count[c];
    if (other.count[c] == 0) continue;
    const double share = other.count[c] / total;
    for (std::size_t i = c * n; i < (c + 1) * n; ++i) {
      const double d = other.mean[i] - mean[i];
      mean[i] += d * share;
      m2[i] += other.m2[i] + d * d * count[c] * share;
    }
    count[c] = total;
  }
}

template <typename T>
ClassMoments class_moments(const RowBlock<T>& x, const std::int64_t* class_of, std::int64_t classes,
                           const T* weights) {
  const std::int64_t n = x.features;
  ClassMoments sums(classes, n);
  std::vector<T> pivots(static_cast<std::size_t>(classes * n));
  std::vector<bool> seen(static_cast<std::size_t>(classes));
  simd::run([&]<int, int>() __attribute__((always_inline)) {
    for (std::int64_t row = 0; row < x.rows; ++row) {
      const std::int64_t c = class_of[x.first + row];
      const T* values = x.data + row * n;
      T* pivot = pivots.data() + c * n;
      if (!seen[static_cast<std::size_t>(c)]) {
        std::copy(values, values + n, pivot);
        seen[static_cast<std::size_t>(c)] = true;
      }
      const double w = weights == nullptr ? 1.0 : static_cast<double>(weights[x.first + row]);
      sums.count[static_cast<std::size_t>(c)] += w;
      add_row(values, pivot, w, n, sums.mean.data() + c * n, sums.m2.data() + c * n);
    }
  });
  for (std::int64_t c = 0; c < classes; ++c) {
    const double total = sums.count[static_cast<std::size_t>(c)];
    if (total == 0) continue;
    for (auto i = static_cast<std::size_t>(c * n); i < static_cast<std::size_t>((c + 1) * n); ++i) {
      const double first = sums.mean[i];
      sums.mean[i] = static_cast<double>(pivots[i]) + first / total;
      sums.m2[i] = std::max(0.0, sums.m2[i] - first * first / total);
    }
  }
  return sums;
}

template <typename T>
void class_log_likelihood(const RowBlock<T>& x, const double* mean, const double* precision,
                          const double* constant, std::int64_t classes, double* out) {
  const std::int64_t n = x.features;
  simd::run([&]<int, int>() __attribute__((always_inline)) {
    for (std::int64_t row = 0; row < x.rows; ++row) {
      double* const line = out + (x.first + row) * classes;
      for (std::int64_t c = 0; c < classes; ++c) {
        line[c] = constant[c] - 0.5 * weighted_square(x.data + row * n, mean + c * n, precision + c * n, n);
      }
    }
  });
}

template ClassMoments class_moments(const RowBlock<float>&, const std::int64_t*, std::int64_t, const float*);
template ClassMoments class_moments(const RowBlock<double>&, const std::int64_t*, std::int64_t,
                                    const double*);

template void class_log_likelihood(const RowBlock<float>&, const double*, const double*, const double*,
                                   std::int64_t, double*);
template void class_log_likelihood(const RowBlock<double>&, const double*, const double*, const double*,
                                   std::int64_t, double*);

}  // namespace eh::kernels
