// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>

#include "kernels/pairwise.hpp"
#include "kernels/simd.hpp"

/// The loop nest under the functions of pairwise.hpp: a few rows of x times one panel of y in registers.
namespace eh::kernels::sweep {

using simd::Line;

/// Rows of x that are finished with all panels before the next ones begin.
inline constexpr std::int64_t kBlock = 32;

struct SquaredStep {
  template <typename V, typename T>
  static EH_SIMD_INLINE void add(V& sum, T x, const V& y) {
    const V d = x - y;
    sum += d * d;
  }
};

struct ManhattanStep {
  template <typename V, typename T>
  static EH_SIMD_INLINE void add(V& sum, T x, const V& y) {
    const V d = x - y;
    sum += d < 0 ? -d : d;
  }
};

struct ProductStep {
  template <typename V, typename T>
  static EH_SIMD_INLINE void add(V& sum, T x, const V& y) {
    sum += x * y;
  }
};

/// Sums over features for R rows (a row every `features` entries) and one panel.
template <typename Step, int R, typename T, int Bytes>
EH_SIMD_INLINE void tile(const T* x, const T* panel, std::int64_t features, Line<T, Bytes> (&sum)[R]) {
  for (int r = 0; r < R; ++r) sum[r].fill(0);
  for (std::int64_t f = 0; f < features; ++f) {
    Line<T, Bytes> y;
    y.load(panel + f * simd::kLanes<T>);
    for (int r = 0; r < R; ++r) {
      for (int i = 0; i < Line<T, Bytes>::kRegisters; ++i)
        Step::add(sum[r].reg[i], x[r * features + f], y.reg[i]);
    }
  }
}

/// sum -> sum + bias, or bias - 2 sum for products.
template <typename Step, typename T, int Bytes>
EH_SIMD_INLINE void finish(Line<T, Bytes>& sum, const T* bias) {
  typedef T Register __attribute__((vector_size(Bytes), aligned(sizeof(T)), may_alias));
  for (int i = 0; i < Line<T, Bytes>::kRegisters; ++i) {
    const auto b = reinterpret_cast<const Register*>(bias)[i];
    if constexpr (std::is_same_v<Step, ProductStep>) {
      sum.reg[i] = b - 2 * sum.reg[i];
    } else {
      sum.reg[i] += b;
    }
  }
}

template <typename Step, int R, int Bytes, typename T, typename Consumer>
EH_SIMD_INLINE void rows_times_panel(const T* x, std::int64_t row, const Panels<T>& y, std::int64_t p,
                                     Consumer& consumer) {
  Line<T, Bytes> sum[R];
  tile<Step, R>(x + row * y.features(), y.panel(p), y.features(), sum);
  for (int r = 0; r < R; ++r) {
    finish<Step>(sum[r], y.bias(p));
    consumer.take(row + r, p, sum[r]);
  }
}

/// consumer.begin(block, rows) gives the address of the block's rows; then take(row in block, panel, line) for all
/// pairs; then end(block, rows).
template <typename Step, int Bytes, int R, typename T, typename Consumer>
EH_SIMD_INLINE void all_pairs(std::int64_t rows, const Panels<T>& y, Consumer& consumer) {
  for (std::int64_t block = 0; block < rows; block += kBlock) {
    const std::int64_t n = std::min(kBlock, rows - block);
    const T* x = consumer.begin(block, n);
    for (std::int64_t p = 0; p < y.count(); ++p) {
      std::int64_t row = 0;
      for (; row + R <= n; row += R) rows_times_panel<Step, R, Bytes>(x, row, y, p, consumer);
      for (; row < n; ++row) rows_times_panel<Step, 1, Bytes>(x, row, y, p, consumer);
    }
    consumer.end(block, n);
  }
}

/// all_pairs with the metric of y, for the instruction set there is. `Make` makes a consumer for registers of Bytes.
template <typename T, typename Make>
void run(std::int64_t rows, const Panels<T>& y, const Make& make) {
  simd::run([&]<int Bytes, int R>() __attribute__((always_inline)) {
    auto consumer = make.template operator()<Bytes>();
    switch (y.metric()) {
      case Metric::Squared:
        return all_pairs<SquaredStep, Bytes, R>(rows, y, consumer);
      case Metric::Manhattan:
        return all_pairs<ManhattanStep, Bytes, R>(rows, y, consumer);
      case Metric::Expanded:
        return all_pairs<ProductStep, Bytes, R>(rows, y, consumer);
    }
  });
}

}  // namespace eh::kernels::sweep
