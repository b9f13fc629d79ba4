// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <vector>

#include "kernels/stencil.hpp"

using namespace eh::kernels;

namespace {

/// Whole numbers: sums are exact in any order.
template <typename T>
void check_rows() {
  const std::int64_t pitch = 300;
  std::vector<T> x(3 * 300);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>((i * 37) % 101);
  const std::vector<Tap<T>> taps = {{0, T(4)}, {-1, T(-1)}, {1, T(-2)}, {-pitch, T(3)}, {pitch, T(-5)}};
  for (const std::int64_t n : {0, 1, 3, 7, 8, 31, 64, 65, 131, 290}) {
    for (const bool add : {false, true}) {
      std::vector<T> out(300, T(7));
      stencil_row(x.data() + pitch + 2, taps, n, add, out.data());
      for (std::int64_t j = 0; j < 300; ++j) {
        T expected = j < n && !add ? T(0) : T(7);
        for (const auto& tap : taps)
          if (j < n) expected += tap.weight * x[static_cast<std::size_t>(pitch + 2 + j + tap.offset)];
        REQUIRE(out[static_cast<std::size_t>(j)] == expected);
      }
    }
  }
}

}  // namespace

TEST_CASE("rows of weighted sums of any length") {
  check_rows<float>();
  check_rows<double>();
}
