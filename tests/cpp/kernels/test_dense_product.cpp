// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "kernels/dense_product.hpp"

namespace {

using eh::kernels::DenseMatrix;
using eh::kernels::Into;
using eh::kernels::MultiplyDense;

/// A matrix that lies with rows or with columns together, a little wider than it is.
template <typename T>
struct Matrix {
  std::vector<T> memory;
  DenseMatrix<T> view;

  Matrix(std::int64_t rows, std::int64_t columns, bool by_rows, int seed) {
    const std::int64_t step = (by_rows ? columns : rows) + 3;
    memory.resize(static_cast<std::size_t>((by_rows ? rows : columns) * step));
    for (std::size_t i = 0; i < memory.size(); ++i)
      memory[i] = static_cast<T>((static_cast<int>(i) * 37 + seed * 101) % 16 - 7);
    view = {memory.data(), rows, columns, by_rows ? step : 1, by_rows ? 1 : step};
  }
  T at(std::int64_t i, std::int64_t j) const { return view.data[i * view.row + j * view.column]; }
};

/// Elements of c that differ: numbers so small that every sum is exact.
template <typename T>
std::int64_t wrong_elements(MultiplyDense<T> multiply, const Matrix<T>& a, const Matrix<T>& b,
                            std::int64_t first, std::int64_t last, Into into) {
  const std::int64_t n = b.view.columns, c_row = n + 5;
  std::vector<T> c(static_cast<std::size_t>(a.view.rows * c_row), 7);
  const std::unique_ptr<T[], decltype(&std::free)> scratch(
      static_cast<T*>(std::aligned_alloc(64, (eh::kernels::dense_product_scratch() + 63) / 64 * 64)),
      &std::free);
  multiply(a.view, b.view, first, last, c.data(), c_row, into, scratch.get());
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < a.view.rows; ++i)
    for (std::int64_t j = 0; j < c_row; ++j) {
      T sum = 0;
      for (std::int64_t k = 0; k < a.view.columns && j < n; ++k) sum += a.at(i, k) * b.at(k, j);
      const T made = into == Into::Write ? sum : into == Into::Add ? 7 + sum : 7 - sum;
      const bool own = i >= first && i < last && j < n;
      wrong += c[static_cast<std::size_t>(i * c_row + j)] == (own ? made : 7) ? 0 : 1;
    }
  return wrong;
}

}  // namespace

TEST_CASE_TEMPLATE("dense product: every shape, layout and way into the result, and nothing beyond", T, float,
                   double) {
  for (const std::string set : {"portable", "avx512"}) {
    const MultiplyDense<T> multiply = eh::kernels::dense_product<T>(set);
    if (multiply == nullptr) continue;
    CAPTURE(set);
    struct Shape {
      std::int64_t m, k, n;
    };
    for (const auto [m, k, n] : {Shape{1, 1, 1},
                                 {5, 3, 7},
                                 {16, 16, 16},
                                 {33, 70, 25},
                                 {200, 300, 19},
                                 {13, 513, 40},
                                 {195, 20, 500},
                                 {40, 260, 489}}) {
      for (const bool a_rows : {true, false})
        for (const bool b_rows : {true, false}) {
          const Matrix<T> a(m, k, a_rows, 1), b(k, n, b_rows, 2);
          CAPTURE(m * 1000000 + k * 1000 + n);
          for (const Into into : {Into::Write, Into::Add, Into::Subtract})
            CHECK(wrong_elements(multiply, a, b, 0, m, into) == 0);
          CHECK(wrong_elements(multiply, a, b, m / 3, m - m / 4, Into::Add) == 0);
        }
    }
  }
}
