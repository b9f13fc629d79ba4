// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <numeric>

#include "base/error.hpp"
#include "layout/layout.hpp"

using eh::Layout;
using Rows = std::vector<std::int64_t>;

TEST_CASE("the first n mod p ranks own one more") {
  struct Row {
    std::int64_t n;
    int nranks;
    Rows counts;
  };
  const Row table[] = {
      {10, 4, {3, 3, 2, 2}}, {0, 3, {0, 0, 0}}, {2, 4, {1, 1, 0, 0}}, {6, 3, {2, 2, 2}}, {7, 1, {7}},
  };
  for (const Row& row : table) {
    CAPTURE(row.n);
    CHECK(eh::chunk_counts(row.n, row.nranks) == row.counts);
    const Rows offsets = eh::offsets_of(row.counts);
    for (int r = 0; r < row.nranks; ++r) {
      const auto i = static_cast<std::size_t>(r);
      CHECK(eh::chunk(row.n, row.nranks, r).offset == offsets[i]);
      CHECK(eh::chunk(row.n, row.nranks, r).count == row.counts[i]);
    }
    CHECK(offsets.back() == row.n);
  }
}

TEST_CASE("a layout says what every rank holds") {
  const Layout balanced = Layout::balanced({5, 7}, 1, 3);
  CHECK(balanced.lshape(0) == eh::Shape{5, 3});
  CHECK(balanced.lshape(2) == eh::Shape{5, 2});
  CHECK(balanced.is_balanced());

  const Layout uneven = Layout::with_counts({5, 7}, 0, {0, 4, 1});
  CHECK(uneven.lshape(0) == eh::Shape{0, 7});
  CHECK(uneven.offset(2) == 4);
  CHECK_FALSE(uneven.is_balanced());
  CHECK(Layout::with_counts({5, 7}, 0, {2, 2, 1}) == Layout::balanced({5, 7}, 0, 3));

  const Layout everywhere = Layout::replicated({5, 7}, 3);
  CHECK(everywhere.lshape(1) == eh::Shape{5, 7});
  CHECK_FALSE(everywhere.is_split());
  CHECK(Layout::balanced({5, 7}, eh::kNoSplit, 3) == everywhere);
  CHECK(Layout::replicated({}, 3).size() == 1);
}

TEST_CASE("the owner of a row skips ranks without rows") {
  const Layout layout = Layout::with_counts({6}, 0, {0, 2, 0, 3, 1, 0});
  const int owners[] = {1, 1, 3, 3, 3, 4};
  for (int i = 0; i < 6; ++i) CHECK(layout.owner(i) == owners[i]);
}

TEST_CASE("counts that do not fit are refused") {
  CHECK_THROWS_AS(Layout::with_counts({5}, 0, {2, 2}), eh::ValueError);
  CHECK_THROWS_AS(Layout::with_counts({5}, 0, {6, -1}), eh::ValueError);
  CHECK_THROWS_AS(Layout::with_counts({5}, 1, {5}), eh::ValueError);
  CHECK_THROWS_AS(Layout::balanced({5}, 1, 2), eh::ValueError);
  CHECK_THROWS_AS(Layout::balanced({}, 0, 2), eh::ValueError);
}

TEST_CASE("the split follows its axis") {
  const Layout layout = Layout::with_counts({2, 3, 4}, 1, {0, 1, 2});
  CHECK(layout.reduced({0}, false) == Layout::with_counts({3, 4}, 0, {0, 1, 2}));
  CHECK(layout.reduced({0}, true) == Layout::with_counts({1, 3, 4}, 1, {0, 1, 2}));
  CHECK(layout.reduced({2}, false) == Layout::with_counts({2, 3}, 1, {0, 1, 2}));
  CHECK(layout.reduced({1}, false) == Layout::replicated({2, 4}, 3));
  CHECK(layout.reduced({1}, true) == Layout::replicated({2, 1, 4}, 3));
  CHECK(layout.reduced({0, 1, 2}, false) == Layout::replicated({}, 3));
  CHECK(layout.permuted({2, 1, 0}) == Layout::with_counts({4, 3, 2}, 1, {0, 1, 2}));
  CHECK(layout.permuted({1, 2, 0}) == Layout::with_counts({3, 4, 2}, 0, {0, 1, 2}));
  CHECK(Layout::replicated({2, 3}, 2).permuted({1, 0}) == Layout::replicated({3, 2}, 2));
}

TEST_CASE("distributions compare without the other axes") {
  const Layout a = Layout::with_counts({5, 7}, 0, {1, 4});
  CHECK(a.same_distribution(Layout::with_counts({5, 2, 2}, 0, {1, 4})));
  CHECK_FALSE(a.same_distribution(Layout::balanced({5, 7}, 0, 2)));
  CHECK_FALSE(a.same_distribution(Layout::replicated({5, 7}, 2)));
}
