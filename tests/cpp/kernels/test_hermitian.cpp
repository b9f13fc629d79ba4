// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <complex>
#include <vector>

#include "kernels/hermitian.hpp"

namespace {

using namespace eh::kernels;
using Index = std::int64_t;

double number(Index i) { return static_cast<double>((i * 7919) % 23 - 11); }
template <typename T>
T entry(Index i) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(number(i));
  } else {
    using R = typename T::value_type;
    return {static_cast<R>(number(i)), static_cast<R>(number(i + 5))};
  }
}
template <typename T>
T conjugated(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return x;
  } else {
    return std::conj(x);
  }
}
template <typename T>
std::vector<T> entries(Index n, Index seed) {
  std::vector<T> x;
  for (Index i = 0; i < n; ++i) x.push_back(entry<T>(i + seed));
  return x;
}
std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// Whole numbers: sums in any order are the same.
TEST_CASE_TEMPLATE("sums of rows", T, float, double, std::complex<float>, std::complex<double>) {
  for (Index count : {0, 1, 3, 4, 9}) {
    for (Index n : {0, 1, 7, 16, 37}) {
      const Index stride = n + 3;
      const std::vector<T> x = entries<T>(count * stride, 1), v = entries<T>(n, 2), f = entries<T>(count, 3);
      std::vector<T> inner(at(count), T(99)), y = entries<T>(n, 4), wanted = y;
      inner_products<T>({x.data(), stride, count, n}, v.data(), inner.data());
      add_combination<T>({x.data(), stride, count, n}, f.data(), y.data());
      for (Index q = 0; q < count; ++q) {
        T sum{};
        for (Index j = 0; j < n; ++j) {
          sum += conjugated(x[at(q * stride + j)]) * v[at(j)];
          wanted[at(j)] += x[at(q * stride + j)] * f[at(q)];
        }
        CHECK(inner[at(q)] == sum);
      }
      CHECK(y == wanted);
    }
  }
}

/// The columns `own` of the lower triangle give, with those of nobody else left out, the matrix times a vector.
TEST_CASE_TEMPLATE("a Hermitian matrix times a vector reads its lower triangle once", T, float, double,
                   std::complex<float>, std::complex<double>) {
  for (Index n : {1, 4, 5, 41, 70}) {
    for (Index every : {1, 2, 3}) {
      std::vector<Index> own, ends;
      std::vector<std::uint8_t> diagonal;
      for (Index row = 0; row < n; ++row) {
        const bool mine = (row / 4) % every == 0;
        if (mine) own.push_back(row);
        diagonal.push_back(mine ? 1 : 0);
        ends.push_back(static_cast<Index>(own.size()));
      }
      const auto width = static_cast<Index>(own.size()), stride = width + 2;
      const std::vector<T> a = entries<T>(n * stride, 1), v = entries<T>(n, 6);
      std::vector<T> y = entries<T>(n, 9), wanted = y, v_own, y_own(at(width));
      for (Index column : own) v_own.push_back(v[at(column)]);
      hermitian_product<T>({a.data(), stride, n, ends.data(), diagonal.data()}, v.data(), v_own.data(),
                           y.data(), y_own.data());
      for (Index c = 0; c < width; ++c) {
        y[at(own[at(c)])] += y_own[at(c)];
        for (Index row = own[at(c)]; row < n; ++row) {
          const T x = a[at(row * stride + c)];
          wanted[at(row)] += x * v[at(own[at(c)])];
          if (row > own[at(c)]) wanted[at(own[at(c)])] += conjugated(x) * v[at(row)];
        }
      }
      CHECK(y == wanted);
    }
  }
}

}  // namespace
