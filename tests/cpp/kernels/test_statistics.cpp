// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/extremes.hpp"
#include "kernels/moments.hpp"

namespace {

using namespace eh::kernels;

/// Numbers around `mean` without a random generator.
template <typename T>
std::vector<T> wave(std::int64_t n, double mean) {
  std::vector<T> x;
  for (std::int64_t i = 0; i < n; ++i)
    x.push_back(static_cast<T>(mean + std::sin(0.7 * static_cast<double>(i))));
  return x;
}

template <typename T>
void check_moments(std::int64_t outer, std::int64_t n, std::int64_t inner, double tolerance) {
  const std::vector<T> x = wave<T>(outer * n * inner, 10);
  const std::int64_t size = outer * inner;
  std::vector<double> out(static_cast<std::size_t>(4 * size));
  std::vector<double> two(static_cast<std::size_t>(2 * size));
  moments(x.data(), outer, n, inner, MomentOrder::Kurtosis, out.data());
  moments(x.data(), outer, n, inner, MomentOrder::Variance, two.data());
  for (std::int64_t r = 0; r < size; ++r) {
    double sum[5] = {};
    const auto at = [&](std::int64_t i) {
      return static_cast<double>(x[static_cast<std::size_t>((r / inner * n + i) * inner + r % inner)]);
    };
    for (std::int64_t i = 0; i < n; ++i) sum[0] += at(i);
    const double mean = n > 0 ? sum[0] / static_cast<double>(n) : 0;
    for (std::int64_t i = 0; i < n; ++i) {
      for (int p = 2; p <= 4; ++p) sum[p] += std::pow(at(i) - mean, p);
    }
    const double scale = static_cast<double>(n) + 1;
    REQUIRE(std::abs(out[static_cast<std::size_t>(r)] - mean) < 1e-12 * scale);
    for (int p = 2; p <= 4; ++p) {
      REQUIRE(std::abs(out[static_cast<std::size_t>((p - 1) * size + r)] - sum[p]) < 1e-9 * scale);
    }
    REQUIRE(std::abs(two[static_cast<std::size_t>(size + r)] - sum[2]) < tolerance * scale);
  }
}

TEST_CASE("moments: every shape of block") {
  for (const std::int64_t n : {0, 1, 5, 31, 32, 33, 100, 2049}) {
    for (const std::int64_t inner : {1, 2, 7, 33, 300}) {
      check_moments<double>(2, n, inner, 1e-9);
      check_moments<float>(1, n, inner, 1e-6);
    }
  }
}

TEST_CASE("moments: parts merge into the whole") {
  const std::vector<double> x = wave<double>(1000, 1e3);
  const std::vector<std::int64_t> counts = {0, 3, 600, 0, 397};
  std::vector<double> blocks(20);
  std::int64_t begin = 0;
  for (std::size_t part = 0; part < 5; ++part) {
    moments(x.data() + begin, 1, counts[part], 1, MomentOrder::Kurtosis, blocks.data() + 4 * part);
    begin += counts[part];
  }
  double whole[4];
  double merged[4];
  moments(x.data(), 1, 1000, 1, MomentOrder::Kurtosis, whole);
  merge_moments(blocks.data(), counts.data(), 5, 1, MomentOrder::Kurtosis, merged);
  for (int p = 0; p < 4; ++p) CHECK(merged[p] == doctest::Approx(whole[p]).epsilon(1e-9));
}

TEST_CASE("first_extreme: position of the first of several, NaN first") {
  for (const std::int64_t n : {1, 31, 32, 33, 500, 4097}) {
    std::vector<float> x = wave<float>(n, 0);
    x[static_cast<std::size_t>(n / 2)] = x[static_cast<std::size_t>(n - 1)] = 5;
    std::int64_t at = -1;
    first_extreme(x.data(), 1, n, true, &at);
    CHECK(at == n / 2);
    x[static_cast<std::size_t>(n - 1)] = std::nanf("");
    first_extreme(x.data(), 1, n, false, &at);
    CHECK(at == n - 1);
  }
}

}  // namespace
