// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "base/shape.hpp"

TEST_CASE("an axis counts from either end and is checked") {
  CHECK(eh::normalize_axis(-1, 3, "sum") == 2);
  CHECK(eh::normalize_axis(0, 3, "sum") == 0);
  CHECK_THROWS_WITH_AS(eh::normalize_axis(3, 3, "sum"),
                       "sum: axis 3 is out of bounds for 3-dimensional array", eh::ValueError);
  CHECK_THROWS_AS(eh::normalize_axes({0, -2}, 2, "sum"), eh::ValueError);
}

TEST_CASE("shapes broadcast as NumPy's do") {
  CHECK(eh::broadcast_shapes({3, 1}, {4}, "add") == eh::Shape{3, 4});
  CHECK(eh::broadcast_shapes({}, {0, 2}, "add") == eh::Shape{0, 2});
  CHECK(eh::to_string({3}) == "(3,)");
  CHECK_THROWS_AS(eh::broadcast_shapes({2}, {3}, "add"), eh::ValueError);
}
