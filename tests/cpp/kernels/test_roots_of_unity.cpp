// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/roots_of_unity.hpp"

namespace {

using namespace eh::kernels;

/// exp(sign * pi i * twice / n) by long double.
std::complex<double> exact(std::int64_t twice, std::int64_t n, bool forward) {
  const long double angle = std::numbers::pi_v<long double> * static_cast<long double>(twice % (2 * n)) /
                            static_cast<long double>(n);
  return {static_cast<double>(std::cos(angle)),
          static_cast<double>(forward ? -std::sin(angle) : std::sin(angle))};
}

}  // namespace

TEST_CASE_TEMPLATE("twiddles are right to the last place, whatever n and the part of the table", T, float,
                   double) {
  const double tolerance = std::is_same_v<T, float> ? 1e-7 : 6e-16;
  for (const std::int64_t n : {1L, 7L, 720L, 1L << 20, 1000L * 1013L, 1L << 30, (1L << 40) + 1L}) {
    const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
    for (const std::int64_t height : {std::int64_t{1}, std::min<std::int64_t>(side, 37)}) {
      const std::int64_t width = std::min<std::int64_t>(side, 101), row = side - height,
                         column = side - width;
      std::vector<std::complex<T>> out(static_cast<std::size_t>(height * width));
      for (const bool forward : {false, true}) {
        twiddles(n, row, height, column, width, forward, out.data());
        double worst = 0;
        for (std::int64_t i = 0; i < height * width; ++i) {
          const std::int64_t e = (row + i / width) * (column + i % width);
          const std::complex<double> found(out[static_cast<std::size_t>(i)]);
          worst = std::max(worst, std::abs(found - exact(2 * e, n, forward)));
        }
        CHECK(worst < tolerance);
      }
    }
  }
}

TEST_CASE("chirps") {
  for (const std::int64_t n : {1L, 5L, 64L, 1000003L}) {
    std::vector<std::complex<double>> out(50);
    const std::int64_t first = std::max<std::int64_t>(0, n - 50);
    chirp(n, first, 50, true, out.data());
    double worst = 0;
    for (std::int64_t k = 0; k < 50; ++k)
      worst = std::max(
          worst, std::abs(out[static_cast<std::size_t>(k)] - exact((first + k) * (first + k), n, true)));
    CHECK(worst < 6e-16);
  }
}
