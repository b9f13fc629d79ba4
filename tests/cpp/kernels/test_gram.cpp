// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <vector>

#include "kernels/gram.hpp"

namespace {

using namespace eh::kernels;

template <typename T>
std::vector<T> numbers(std::int64_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<T> out(static_cast<std::size_t>(n));
  for (T& x : out) x = static_cast<T>(static_cast<int>(engine() % 33) - 16) / 4;  // sums are exact
  return out;
}

struct Shape {
  std::int64_t rows, features, targets;
};

/// Around the sides of tiles for every instruction set: 4, 8, 12, 16, 24 columns, and more than one block of rows.
const std::vector<Shape> kShapes = {{0, 3, 1},    {1, 1, 0},    {5, 3, 1},   {7, 0, 2},
                                    {300, 18, 1}, {64, 8, 0},   {65, 7, 2},  {40, 16, 8},
                                    {33, 24, 1},  {2100, 1, 0}, {50, 47, 3}, {20, 127, 1}};

template <typename T, typename U>
void check(const Shape& s) {
  const std::vector<T> x = numbers<T>(s.rows * s.features, 1);
  const std::vector<U> y = numbers<U>(s.rows * s.targets, 2);
  const std::int64_t width = s.features + s.targets;
  const std::vector<double> shift = numbers<double>(width, 3);
  const auto z = [&](std::int64_t row, std::int64_t column) {
    const double value =
        column < s.features
            ? static_cast<double>(x[static_cast<std::size_t>(row * s.features + column)])
            : static_cast<double>(y[static_cast<std::size_t>(row * s.targets + column - s.features)]);
    return value - shift[static_cast<std::size_t>(column)];
  };
  std::vector<double> sum(static_cast<std::size_t>(width * width), 2.0);  // what is there is added to
  add_gram(RowBlock<T>{x.data(), s.rows, s.features, 0}, RowBlock<U>{y.data(), s.rows, s.targets, 0},
           shift.data(), sum.data());
  for (std::int64_t i = 0; i < width; ++i)
    for (std::int64_t j = 0; j < width; ++j) {
      double want = 2.0;
      for (std::int64_t row = 0; row < s.rows; ++row) want += z(row, i) * z(row, j);
      CHECK(sum[static_cast<std::size_t>(i * width + j)] == want);
    }
}

}  // namespace

TEST_CASE("Gram matrices of all shapes and types are exact where the sums are") {
  for (const Shape& s : kShapes) {
    CAPTURE(s.rows);
    CAPTURE(s.features);
    check<float, float>(s);
    check<float, double>(s);
    check<double, float>(s);
    check<double, double>(s);
  }
}

TEST_CASE("NaN reaches its row and column of the Gram matrix only") {
  std::vector<double> x = numbers<double>(6 * 3, 1);
  x[4] = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> none, shift(3, 0.0);
  std::vector<double> sum(9, 0.0);
  add_gram(RowBlock<double>{x.data(), 6, 3, 0}, RowBlock<double>{none.data(), 6, 0, 0}, shift.data(),
           sum.data());
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) CHECK((sum[i * 3 + j] != sum[i * 3 + j]) == (i == 1 || j == 1));
}
