// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <vector>

#include "kernels/correlate.hpp"

namespace eh::kernels {
namespace {

template <typename T>
void check(const Correlation& s) {
  std::vector<T> x(static_cast<std::size_t>(s.batch * s.height * s.width));
  std::vector<T> v(static_cast<std::size_t>((s.shared ? 1 : s.batch) * s.v_height * s.v_width));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(static_cast<int>(i * 7 % 11) - 5);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<T>(static_cast<int>(i * 5 % 7) - 3);
  const std::int64_t height = s.height - s.v_height + 1;
  const std::int64_t width = s.width - s.v_width + 1;
  std::vector<T> out(static_cast<std::size_t>(s.batch * height * width));
  correlate(x.data(), v.data(), s, out.data());
  std::size_t at = 0;
  for (std::int64_t b = 0; b < s.batch; ++b) {
    for (std::int64_t place = 0; place < height * width; ++place) {
      T sum = 0;  // whole numbers: exact in any order
      for (std::int64_t k = 0; k < s.v_height * s.v_width; ++k) {
        const std::int64_t row = place / width + k / s.v_width;
        const std::int64_t column = place % width + k % s.v_width;
        const std::int64_t kernel = (s.shared ? 0 : b * s.v_height * s.v_width) + k;
        sum += v[static_cast<std::size_t>(kernel)] *
               x[static_cast<std::size_t>((b * s.height + row) * s.width + column)];
      }
      REQUIRE(out[at++] == sum);
    }
  }
}

}  // namespace

TEST_CASE("direct correlation: tails, batches, every type") {
  for (const std::int64_t width : {3, 4, 11, 40, 131}) {
    for (const bool shared : {true, false}) {
      const Correlation shape = {
          .batch = 2, .height = 4, .width = width, .v_height = 2, .v_width = 3, .shared = shared};
      check<float>(shape);
      check<double>(shape);
      check<std::uint32_t>(shape);
      check<std::uint64_t>(shape);
    }
  }
}

}  // namespace eh::kernels
