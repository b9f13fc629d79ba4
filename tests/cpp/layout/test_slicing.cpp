// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "execute.hpp"
#include "layout/slicing.hpp"

using namespace eh;           // NOLINT
using namespace eh::testing;  // NOLINT
using Kind = KeyItem::Kind;

namespace {

using Bound = std::optional<std::int64_t>;

KeyItem all() { return {Kind::Slice, {}, {}, {}, {}}; }
KeyItem integer(std::int64_t i) { return {Kind::Integer, i, {}, {}, {}}; }
KeyItem of(Kind kind, Shape array = {}) { return {kind, {}, {}, {}, std::move(array)}; }

}  // namespace

TEST_CASE("slices follow Python's rule") {
  struct Row {
    Bound start, stop, step;
    std::int64_t extent;
    AxisSlice expected;
  };
  const Row table[] = {
      {{}, {}, {}, 5, {0, 1, 5}}, {1, 4, {}, 5, {1, 1, 3}},     {-2, {}, {}, 5, {3, 1, 2}},
      {{}, {}, 2, 5, {0, 2, 3}},  {{}, {}, -1, 5, {4, -1, 5}},  {{}, {}, -2, 5, {4, -2, 3}},
      {3, 1, {}, 5, {3, 1, 0}},   {10, 20, {}, 5, {5, 1, 0}},   {-10, 10, {}, 5, {0, 1, 5}},
      {3, 0, -1, 5, {3, -1, 3}},  {3, {}, -2, 5, {3, -2, 2}},   {{}, {}, -1, 0, {-1, -1, 0}},
      {{}, 2, -1, 5, {4, -1, 2}}, {10, -10, -3, 5, {4, -3, 2}}, {{}, {}, {}, 0, {0, 1, 0}},
  };
  for (const Row& row : table) CHECK(slice_axis(row.start, row.stop, row.step, row.extent) == row.expected);
  CHECK_THROWS_AS(slice_axis({}, {}, 0, 5), ValueError);
  CHECK(ascending({4, -2, 3}) == AxisSlice{0, 2, 3});
  CHECK(ascending({4, -2, 0}) == AxisSlice{0, 1, 0});
}

TEST_CASE("every rank keeps what it owns of a slice") {
  std::mt19937 random(6);
  for (int round = 0; round < 300; ++round) {
    const std::int64_t n = draw(0, 12, random);
    const Rows owned = random_counts(n, static_cast<int>(draw(1, 5, random)), random);
    const AxisSlice slice = slice_axis(draw(-14, 14, random), draw(-14, 14, random), draw(1, 4, random), n);
    const SplitSlice part = slice_counts(owned, slice);
    const Rows offsets = offsets_of(owned);
    Rows rows;
    for (std::size_t r = 0; r < owned.size(); ++r) {
      for (std::int64_t i = 0; i < part.counts[r]; ++i) {
        const std::int64_t local = part.starts[r] + i * slice.step;
        CHECK(local >= 0);
        CHECK(local < owned[r]);
        rows.push_back(offsets[r] + local);
      }
    }
    Rows expected;
    for (std::int64_t i = 0; i < slice.count; ++i) expected.push_back(slice.start + i * slice.step);
    CHECK(rows == expected);
  }
}

TEST_CASE("an index expression is understood") {
  const IndexPlan plan = plan_index({integer(-1), of(Kind::Ellipsis), of(Kind::NewAxis), all()}, {2, 3, 4});
  CHECK(plan.axes == std::vector<AxisSlice>{{1, 1, 1}, {0, 1, 3}, {0, 1, 4}});
  CHECK(plan.result == std::vector<int>{1, IndexPlan::kNew, 2});
  CHECK(plan.arrays.empty());
  CHECK(plan.integers == std::vector<int>{0});
}

TEST_CASE("the array's axis stands where NumPy puts it") {
  struct Row {
    std::vector<KeyItem> key;
    std::vector<int> result;
  };
  const int array = IndexPlan::kArray;
  const int fresh = IndexPlan::kNew;
  const Row table[] = {
      {{of(Kind::Mask, {2, 3})}, {array, 2}},
      {{all(), of(Kind::Take, {5})}, {0, array, 2}},
      {{all(), of(Kind::Mask, {3, 4})}, {0, array}},
      {{all(), integer(0), of(Kind::Take, {5})}, {0, array}},
      {{integer(0), all(), of(Kind::Take, {5})}, {array, 1}},
      {{all(), integer(0), of(Kind::Ellipsis), of(Kind::Take, {5})}, {array, 0}},
      {{all(), integer(0), of(Kind::NewAxis), of(Kind::Take, {5})}, {array, 0, fresh}},
      {{of(Kind::Mask, {})}, {array, 0, 1, 2}},
      {{all(), of(Kind::Mask, {})}, {0, array, 1, 2}},
      {{of(Kind::Take, {5}), of(Kind::Take, {2, 5})}, {array, 2}},
      {{of(Kind::Take, {5}), all(), of(Kind::Take, {5})}, {array, 1}},
      {{all(), of(Kind::Take, {5}), of(Kind::Mask, {4})}, {0, array}},
  };
  for (const Row& row : table) CHECK(plan_index(row.key, {2, 3, 4}).result == row.result);
}

TEST_CASE("every array has its axes") {
  const IndexPlan plan =
      plan_index({of(Kind::Mask, {2, 3}), of(Kind::Mask, {}), of(Kind::Take, {5})}, {2, 3, 4});
  CHECK(plan.arrays == std::vector<ArrayPlace>{{0, 2}, {2, 0}, {2, 1}});
}

TEST_CASE("wrong expressions are refused with NumPy's words") {
  CHECK_THROWS_WITH_AS(plan_index({integer(0), integer(0)}, {2}),
                       "too many indices for array: array is 1-dimensional, but 2 were indexed", IndexError);
  CHECK_THROWS_WITH_AS(plan_index({integer(-3)}, {2}), "index -3 is out of bounds for axis 0 with size 2",
                       IndexError);
  CHECK_THROWS_AS(plan_index({of(Kind::Ellipsis), of(Kind::Ellipsis)}, {2}), IndexError);
  CHECK_THROWS_AS(plan_index({of(Kind::Mask, {3})}, {2}), IndexError);
}
