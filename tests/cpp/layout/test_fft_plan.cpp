// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include "layout/fft_plan.hpp"
#include "layout/layout.hpp"

using namespace eh;

TEST_CASE("balanced factors multiply to the length and reach the number of ranks") {
  for (std::int64_t n = 1; n < 500; ++n) {
    for (int nranks : {1, 2, 3, 5}) {
      const auto factors = balanced_factors(n, nranks);
      bool possible = false;
      for (std::int64_t f = nranks; f <= n; ++f) possible = possible || (n % f == 0 && n / f >= nranks);
      REQUIRE(factors.has_value() == possible);
      if (!factors) continue;
      CHECK(factors->first * factors->second == n);
      CHECK(factors->first >= nranks);
      CHECK(factors->second >= factors->first);
    }
  }
}

TEST_CASE("smooth products have factors and are not much longer than asked for") {
  for (std::int64_t n = 1; n < 2000; n += 7) {
    for (int nranks : {1, 2, 3, 7}) {
      const std::int64_t m = smooth_product(n, nranks);
      CHECK(m >= n);
      CHECK(balanced_factors(m, nranks).has_value());
      if (n > 100 * nranks * nranks) CHECK(m < 2 * n);
    }
  }
}

TEST_CASE("mirrored moves put row k where n - k belongs") {
  for (std::int64_t n : {1, 2, 7, 8}) {
    const std::int64_t half = n / 2 + 1;
    for (const auto& counts : {chunk_counts(half, 3), std::vector<std::int64_t>{0, half, 0}}) {
      std::vector<std::int64_t> reversed;  // what the ranks hold after each reversed its rows
      std::int64_t offset = 0;
      for (std::int64_t count : counts) {
        for (std::int64_t k = count; k > 0; --k) reversed.push_back(offset + k - 1);
        offset += count;
      }
      std::vector<std::int64_t> target(static_cast<std::size_t>(n), -1);
      for (const Move& move : mirrored_moves(counts, n, n - half)) {
        for (std::int64_t i = 0; i < move.length; ++i) {
          target[static_cast<std::size_t>(move.target + i)] =
              reversed[static_cast<std::size_t>(move.source + i)];
        }
      }
      for (std::int64_t row = 0; row < n; ++row) {
        CHECK(target[static_cast<std::size_t>(row)] == (row < half ? -1 : n - row));
      }
    }
  }
}
