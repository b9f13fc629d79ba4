// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/column_folds.hpp"

namespace {

using namespace eh::kernels;

struct Shape {
  std::int64_t outer, n, inner;
};

/// Rows folded into longer ones, whole and with a rest; more columns than a block; no rows; few.
const std::vector<Shape> kShapes = {{1, 0, 3},   {1, 1, 1},    {2, 3, 2},    {1, 1000, 2}, {3, 257, 3},
                                    {1, 65, 18}, {2, 130, 31}, {1, 64, 128}, {1, 67, 129}, {2, 5, 600}};

template <typename T>
std::vector<T> numbers(std::int64_t n) {
  std::mt19937 engine(1);
  std::vector<T> out(static_cast<std::size_t>(n));
  for (T& x : out) x = static_cast<T>(engine() % 101);  // sums are exact
  return out;
}

template <ColumnFold F, typename T>
T combined(T a, T b) {
  if constexpr (F == ColumnFold::Sum) return static_cast<T>(a + b);
  if (std::isnan(static_cast<double>(a)) || std::isnan(static_cast<double>(b))) return static_cast<T>(a + b);
  return (F == ColumnFold::Min) == (b < a) ? b : a;
}

template <ColumnFold F, typename T>
void check(const Shape& s, const std::vector<T>& x) {
  using Out = Folded<T, F>;
  std::vector<Out> out(static_cast<std::size_t>(s.outer * s.inner));
  fold_columns<F>(x.data(), s.outer, s.n, s.inner, out.data());
  for (std::int64_t o = 0; s.n > 0 && o < s.outer; ++o)
    for (std::int64_t c = 0; c < s.inner; ++c) {
      const auto at = [&](std::int64_t r) {
        return static_cast<Out>(x[static_cast<std::size_t>((o * s.n + r) * s.inner + c)]);
      };
      Out want = at(0);
      for (std::int64_t r = 1; r < s.n; ++r) want = combined<F>(want, at(r));
      const Out got = out[static_cast<std::size_t>(o * s.inner + c)];
      CHECK((got == want || (got != got && want != want)));
    }
  std::vector<Out> twice = out;
  merge_folds<F, T>(out.data(), static_cast<std::int64_t>(out.size()), twice.data());
  for (std::size_t i = 0; s.n > 0 && i < out.size(); ++i) {
    const Out want = combined<F>(out[i], out[i]);
    CHECK((twice[i] == want || (twice[i] != twice[i] && want != want)));
  }
}

template <typename T>
void check_all() {
  for (const Shape& s : kShapes) {
    CAPTURE(s.n);
    CAPTURE(s.inner);
    std::vector<T> x = numbers<T>(s.outer * s.n * s.inner);
    for (int special = 0; special < 2; ++special) {
      check<ColumnFold::Sum>(s, x);
      check<ColumnFold::Min>(s, x);
      check<ColumnFold::Max>(s, x);
      if (x.empty() || !std::numeric_limits<T>::has_infinity) break;
      x[x.size() / 2] = std::numeric_limits<T>::quiet_NaN();
      x[x.size() / 3] = std::numeric_limits<T>::infinity();
      x.front() = -std::numeric_limits<T>::infinity();
    }
  }
}

}  // namespace

TEST_CASE("columns folded, all types") {
  check_all<float>();
  check_all<double>();
  check_all<std::uint8_t>();
  check_all<std::int32_t>();
  check_all<std::int64_t>();
}

TEST_CASE("nothing folds to what changes nothing") {
  double sum = 1;
  float least = 1, greatest = 1;
  fold_columns<ColumnFold::Sum, double>(nullptr, 1, 0, 1, &sum);
  fold_columns<ColumnFold::Min, float>(nullptr, 1, 0, 1, &least);
  fold_columns<ColumnFold::Max, float>(nullptr, 1, 0, 1, &greatest);
  CHECK(sum == 0);
  CHECK(least == std::numeric_limits<float>::infinity());
  CHECK(greatest == -std::numeric_limits<float>::infinity());
}
