// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <vector>

#include "kernels/permutation.hpp"

namespace {

using eh::kernels::RandomPermutation;

TEST_CASE("permutation: every entry once, and its inverse") {
  for (const std::int64_t n : {0, 1, 2, 3, 100, 65536, 65537, 65792, 66049, 100000}) {
    const RandomPermutation p({5, 0}, n);
    std::vector<char> seen(static_cast<std::size_t>(n), 0);
    bool good = true;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t j = p(i);
      good = good && 0 <= j && j < n && seen[static_cast<std::size_t>(j)] == 0 && p.inverse(j) == i;
      if (good) seen[static_cast<std::size_t>(j)] = 1;
    }
    CHECK_MESSAGE(good, n);
  }
}

TEST_CASE("permutation: many entries are those one after the other") {
  for (const std::int64_t n : {100, 65536, 65537, 65792, 100000}) {
    const RandomPermutation p({6, 3}, n);
    for (const std::int64_t first : {std::int64_t{0}, n / 3, n - 1, n}) {
      std::vector<std::int64_t> found(static_cast<std::size_t>(n - first));
      p.entries(first, n - first, found.data());
      bool good = true;
      for (std::int64_t i = first; i < n; ++i)
        good = good && found[static_cast<std::size_t>(i - first)] == p(i);
      CHECK_MESSAGE(good, n);
    }
  }
}

TEST_CASE("permutation: many entries at the end of as many as 16 bits a side hold, and of more") {
  for (const std::int64_t n : {std::int64_t{65535} * 65535, (std::int64_t{1} << 32) + 5}) {
    const RandomPermutation p({7, 1}, n);
    const std::int64_t count = 1'100'000;
    std::vector<std::int64_t> found(count);
    p.entries(n - count, count, found.data());
    bool good = true;
    for (std::int64_t i = 0; i < count; ++i)
      good = good && found[static_cast<std::size_t>(i)] == p(n - count + i);
    CHECK_MESSAGE(good, n);
  }
}

TEST_CASE("permutation: uses up what it says") {
  CHECK(RandomPermutation::blocks(0) == 0);
  CHECK(RandomPermutation::blocks(32) == 16);
  CHECK(RandomPermutation::blocks(1 << 20) == 8 * (1024 / 32) * 16);
}

}  // namespace
