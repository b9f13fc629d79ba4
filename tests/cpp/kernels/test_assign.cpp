// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/assign_few.hpp"
#include "kernels/pairwise.hpp"

namespace {

using namespace eh::kernels;

template <typename T>
std::vector<T> numbers(std::int64_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<T> out(static_cast<std::size_t>(n));
  for (T& x : out) x = static_cast<T>(static_cast<int>(engine() % 17) - 8);  // ties; sums are exact
  return out;
}

template <typename T>
T distance(const T* x, const T* y, std::int64_t features, Metric metric) {
  T sum = 0;
  for (std::int64_t f = 0; f < features; ++f)
    sum += metric == Metric::Manhattan ? std::fabs(x[f] - y[f]) : (x[f] - y[f]) * (x[f] - y[f]);
  return sum;
}

template <typename T>
std::int64_t nearest_of(const T* x, const std::vector<T>& centres, std::int64_t features, Metric metric) {
  std::int64_t best = 0;
  T least = std::numeric_limits<T>::infinity();
  for (std::int64_t k = 0; k * features < static_cast<std::int64_t>(centres.size()); ++k) {
    const T d = distance(x, centres.data() + k * features, features, metric);
    if (d < least) least = d, best = k;
  }
  return best;
}

struct Shape {
  std::int64_t rows, features, centres;
};

const std::vector<Shape> kShapes = {{0, 3, 2},   {1, 1, 1},     {5, 2, 3},   {31, 4, 5},  {32, 7, 8},
                                    {67, 18, 9}, {100, 33, 48}, {70, 5, 49}, {40, 3, 200}};

/// Labels, sums, counts and the total of every row, by whatever `run` is.
template <typename T, typename Run>
void check(const Shape& s, Metric metric, bool weighted, const Run& run) {
  const std::vector<T> x = numbers<T>(s.rows * s.features, 1), given = numbers<T>(s.centres * s.features, 2);
  const std::vector<T> shift = numbers<T>(s.features, 3);
  std::vector<T> weights(static_cast<std::size_t>(s.rows)), centres = given, distances = weights;
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<T>(i % 5);
  const Panels<T> panels({centres.data(), s.centres, s.features}, metric);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(s.rows), -1);
  std::vector<double> sums(given.size(), 0.0), counts(static_cast<std::size_t>(s.centres), 0.0);
  Assignment<T> a;
  a.labels = labels.data();
  a.shift = shift.data();
  a.sums = sums.data();
  a.counts = counts.data();
  a.with_total = true;
  a.distance = distances.data();
  if (weighted) a.weights = weights.data();
  run(RowBlock<T>{x.data(), s.rows, s.features}, panels, centres.data(), a);
  CHECK(a.changed == s.rows);
  double total = 0;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    std::vector<T> moved(static_cast<std::size_t>(s.features));
    for (std::size_t f = 0; f < moved.size(); ++f)
      moved[f] = x[static_cast<std::size_t>(row * s.features) + f] - shift[f];
    const auto at = static_cast<std::size_t>(row);
    const std::int64_t label = nearest_of(moved.data(), centres, s.features, metric);
    CHECK(labels[at] == label);
    const double weight = weighted ? static_cast<double>(weights[at]) : 1.0;
    const T d = distance(moved.data(), centres.data() + label * s.features, s.features, metric);
    CHECK(distances[at] == d);
    total += weight * static_cast<double>(d);
    counts[static_cast<std::size_t>(label)] -= weight;
    for (std::size_t f = 0; f < moved.size(); ++f)
      sums[static_cast<std::size_t>(label * s.features) + f] -= weight * static_cast<double>(moved[f]);
  }
  CHECK(a.total == total);
  for (const double rest : sums) CHECK(rest == 0);
  for (const double rest : counts) CHECK(rest == 0);
}

template <typename T, typename Run>
void check_all(const Run& run) {
  for (const Metric metric : {Metric::Squared, Metric::Manhattan, Metric::Expanded})
    for (const Shape& shape : kShapes)
      for (const bool weighted : {false, true}) check<T>(shape, metric, weighted, run);
}

/// Registers of any width: the compiler makes do with what this processor has.
template <typename T, int Bytes>
void few(const RowBlock<T>& x, const Panels<T>& y, const T* centres, Assignment<T>& result) {
  const auto room = static_cast<std::size_t>(sweep::kBlock * x.features);
  std::vector<T> turned(room + 64);
  const auto past = reinterpret_cast<std::uintptr_t>(turned.data()) % 64;
  T* const aligned = turned.data() + (64 - past) / sizeof(T);
  const AssignmentSums<T> sums(x, y, centres, result);
  if (y.metric() == Metric::Manhattan)
    assign_few_with<sweep::ManhattanStep, Bytes>(sums, centres, aligned);
  else if (y.metric() == Metric::Squared)
    assign_few_with<sweep::SquaredStep, Bytes>(sums, centres, aligned);
  else
    assign_few_with<sweep::ProductStep, Bytes>(sums, centres, aligned);
}

}  // namespace

TEST_CASE_TEMPLATE("the nearest centre and sums per centre", T, float, double) {
  check_all<T>(
      [](const auto& x, const auto& y, const T* centres, auto& result) { assign(x, y, centres, result); });
}

TEST_CASE_TEMPLATE("few centres, registers of every width", T, float, double) {
  check_all<T>(few<T, 16>);
  check_all<T>(few<T, 32>);
  check_all<T>(few<T, 64>);
}

TEST_CASE("rows without a nearest centre get the first") {
  const std::vector<float> x(3, std::numeric_limits<float>::quiet_NaN()), centres = {1, 2, 3};
  std::vector<std::int64_t> labels(3, 7);
  Assignment<float> a;
  a.labels = labels.data();
  assign({x.data(), 3, 1}, Panels<float>({centres.data(), 3, 1}, Metric::Squared), centres.data(), a);
  CHECK(labels == std::vector<std::int64_t>{0, 0, 0});
}
