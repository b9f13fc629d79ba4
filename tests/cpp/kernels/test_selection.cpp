// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/nth_element.hpp"

namespace {

using Pattern = std::pair<std::string, std::function<std::uint64_t(std::uint64_t i, std::uint64_t n)>>;

/// Numbers without a random generator: a multiplicative hash of the place.
std::uint64_t hashed(std::uint64_t i) { return (i + 1) * 0x9E3779B97F4A7C15ull >> 20; }

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = {
      {"random", [](auto i, auto) { return hashed(i); }},
      {"few values", [](auto i, auto) { return hashed(i) % 3; }},
      {"ascending", [](auto i, auto) { return i; }},
      {"descending", [](auto i, auto n) { return n - i; }},
      {"equal", [](auto, auto) { return 7; }},
      {"up and down", [](auto i, auto n) { return std::min(i, n - i); }},
      {"down and up", [](auto i, auto n) { return std::max(i, n - i); }},
      {"teeth", [](auto i, auto) { return i % 2 == 0 ? i : ~i; }},
  };
  return all;
}

template <typename Key>
void check(const Pattern& pattern, std::int64_t begin, std::int64_t n, std::int64_t nth) {
  std::vector<Key> keys;
  for (std::int64_t i = 0; i < n; ++i)
    keys.push_back(
        static_cast<Key>(pattern.second(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(n))));
  std::vector<Key> sorted = keys;
  std::sort(sorted.begin() + begin, sorted.end());
  const std::vector<Key> before(keys.begin(), keys.begin() + begin);
  eh::kernels::nth_element(keys.data(), begin, n, nth);
  CAPTURE(pattern.first);
  CAPTURE(n);
  CAPTURE(nth);
  const auto at = keys.begin() + nth;
  REQUIRE(*at == sorted[static_cast<std::size_t>(nth)]);
  CHECK(std::equal(before.begin(), before.end(), keys.begin()));
  CHECK(std::all_of(keys.begin() + begin, at, [&](Key k) { return k <= *at; }));
  CHECK(std::all_of(at, keys.end(), [&](Key k) { return k >= *at; }));
  std::sort(keys.begin() + begin, keys.end());
  CHECK(keys == sorted);
}

TEST_CASE_TEMPLATE("nth_element puts every rank of short lines into place", Key, std::uint8_t, std::uint16_t,
                   std::uint32_t, std::uint64_t) {
  for (const Pattern& pattern : patterns()) {
    for (std::int64_t n : {1, 2, 24, 25, 26, 60}) {
      for (std::int64_t nth = 0; nth < n; ++nth) check<Key>(pattern, 0, n, nth);
    }
    check<Key>(pattern, 10, 60, 35);
  }
}

TEST_CASE_TEMPLATE("nth_element samples long lines", Key, std::uint8_t, std::uint32_t, std::uint64_t) {
  for (const Pattern& pattern : patterns()) {
    for (std::int64_t n : {600, 601, 5000, 70'000}) {
      for (std::int64_t nth : {std::int64_t{0}, std::int64_t{1}, n / 7, n / 2, n - 2, n - 1})
        check<Key>(pattern, 0, n, nth);
    }
  }
}

}  // namespace
