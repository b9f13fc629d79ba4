// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/philox.hpp"
#include "kernels/philox_lanes.hpp"

namespace {

using namespace eh::kernels;

constexpr PhiloxStream kStream{0x123456789abcdef0u, 77};

TEST_CASE("philox: the published test vectors") {
  std::uint32_t zeros[4][1];
  lanes::philox(0, 0, 0, zeros);
  CHECK(zeros[0][0] == 0x6627e8d5u);
  CHECK(zeros[1][0] == 0xe169c58du);
  CHECK(zeros[2][0] == 0xbc57ac4cu);
  CHECK(zeros[3][0] == 0x9b00dbd8u);
}

template <typename T, typename Fill>
void check_runs(const Fill& fill) {
  std::vector<T> whole(1000);
  fill(Runs{0, 1000, 1000, 1}, whole.data());
  for (const Runs runs : {Runs{0, 1, 1, 1000}, Runs{3, 2, 7, 100}, Runs{128, 64, 64, 3},
                          Runs{61, 130, 200, 4}, Runs{999, 1, 1, 1}, Runs{5, 0, 10, 9}}) {
    std::vector<T> part(static_cast<std::size_t>(runs.length * runs.count));
    fill(runs, part.data());
    for (std::int64_t run = 0; run < runs.count; ++run)
      for (std::int64_t i = 0; i < runs.length; ++i)
        CHECK(part[static_cast<std::size_t>(run * runs.length + i)] ==
              whole[static_cast<std::size_t>(runs.first + run * runs.pitch + i)]);
  }
}

TEST_CASE("philox: any runs are pieces of the same stream") {
  check_runs<float>([](Runs r, float* out) { philox_uniform(kStream, r, out); });
  check_runs<double>([](Runs r, double* out) { philox_uniform(kStream, r, out); });
  check_runs<float>([](Runs r, float* out) { philox_normal(kStream, r, out); });
  check_runs<double>([](Runs r, double* out) { philox_normal(kStream, r, out); });
  // A range with many rejections, for both widths.
  check_runs<std::int64_t>([](Runs r, std::int64_t* out) { philox_integers(kStream, r, -5, 3u << 30, out); });
  check_runs<std::int64_t>(
      [](Runs r, std::int64_t* out) { philox_integers(kStream, r, -5, 3ull << 62, out); });
}

TEST_CASE("philox: the elementary functions") {
  for (int i = 1; i < 2000; ++i) {
    const double x = i / 2000.0;
    CHECK(lanes::log_of(x) == doctest::Approx(std::log(x)).epsilon(1e-15));
    CHECK(lanes::log_of(static_cast<float>(x)) == doctest::Approx(std::log(x)).epsilon(1e-6));
    const auto word = static_cast<std::uint32_t>(x * 4294967296.0);
    const double angle = word * (6.283185307179586476925 / 4294967296.0);
    const auto fine = lanes::turn_of(word, 0);
    CHECK(std::abs(fine.cosine - std::cos(angle)) < 1e-15);
    CHECK(std::abs(fine.sine - std::sin(angle)) < 1e-15);
    const auto coarse = lanes::turn_of(word);
    CHECK(std::abs(static_cast<double>(coarse.cosine) - std::cos(angle)) < 2e-7);
    CHECK(std::abs(static_cast<double>(coarse.sine) - std::sin(angle)) < 2e-7);
  }
  CHECK(lanes::log_of(1.0) == 0.0);
  CHECK(lanes::log_of(1.0f) == 0.0f);
}

TEST_CASE("philox: bounds") {
  std::vector<float> x(100000);
  philox_uniform({1, 0}, {0, 100000, 100000, 1}, x.data(), 8);
  for (const float v : x) {
    CHECK_UNARY(v >= 0);
    CHECK_UNARY(v < 1);
    CHECK_UNARY(v * 256 == std::floor(v * 256));
  }
  CHECK(philox_blocks(0, 32) == 0);
  CHECK(philox_blocks(1, 32) == 16);
  CHECK(philox_blocks(65, 32) == 32);
  CHECK(philox_blocks(33, 64) == 32);
}

}  // namespace
