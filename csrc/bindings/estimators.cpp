// SPDX-License-Identifier: BSD-3-Clause
#include "ops/estimators.hpp"

#include <pybind11/functional.h>

#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/columns.hpp"
#include "ops/kmeans.hpp"
#include "ops/pairwise.hpp"
#include "ops/samples.hpp"

namespace eh {
namespace {

using OptionalArray = std::optional<DNDarray>;

auto nearest_tuple(const DNDarray& x, const DNDarray& y, std::int64_t k, const std::string& metric) {
  Neighbors n = nearest_rows(x, y, k, metric);
  return std::tuple{n.distances, n.indices};
}

auto statistics_tuple(const DNDarray& x, const OptionalArray& weights, const std::string& fn) {
  ColumnStatistics s = column_statistics(x, weights, fn.c_str());
  return std::tuple{s.count, s.mean, s.variance, s.min, s.max};
}

auto kmeans_tuple(const DNDarray& x, const DNDarray& centers, const OptionalArray& weights,
                  std::int64_t max_iter, double tol, const std::optional<KMeansOptions::Visit>& visit) {
  KMeansFit f = kmeans(x, centers, weights, {max_iter, tol, visit.value_or(nullptr)});
  return std::tuple{f.centers, f.labels, f.inertia, f.iterations};
}

auto assign_tuple(const DNDarray& x, const DNDarray& centers, const OptionalArray& weights,
                  const std::string& metric) {
  Assigned a = assign_rows(x, centers, weights, metric);
  return std::tuple{a.labels, a.total};
}

auto oversample_tuple(const DNDarray& x, double expected, std::int64_t rounds, const std::string& metric,
                      std::uint64_t seed) {
  Candidates c = oversample(x, expected, rounds, metric, seed);
  return std::tuple{c.rows, c.weights};
}

auto lasso_tuple(const DNDarray& x, const DNDarray& y, double penalty, double ridge, std::int64_t unpenalized,
                 std::int64_t max_iter, double tol, bool center) {
  LassoFit f = lasso(x, y, {penalty, ridge, unpenalized, max_iter, tol, center});
  return std::tuple{f.theta, f.intercept, f.iterations};
}

auto dbscan_tuple(const DNDarray& x, double radius, double least, const OptionalArray& weights,
                  const std::string& metric) {
  DensityFit f = dbscan(x, radius, least, weights, metric);
  return std::tuple{f.labels, f.core};
}

auto class_statistics_tuple(const DNDarray& x, const DNDarray& class_of, std::int64_t classes,
                            const OptionalArray& weights) {
  ClassStatistics s = class_statistics(x, class_of, classes, weights);
  return std::tuple{s.count, s.mean, s.m2};
}

DNDarray gather_rows_array(const DNDarray& x, const std::vector<std::int64_t>& rows) {
  const DNDarray samples = as_samples(x, "gather_rows", "x");
  return replicated(gather_rows(samples, rows), samples.comm_ptr());
}

}  // namespace

void register_estimators(py::module_& m) {
  m.def("pairwise_distances", &pairwise_distances, py::arg("x"), py::arg("y"), py::arg("metric"),
        py::arg("sigma"), NoGil(), "Collective.");
  m.def("nearest_rows", &nearest_tuple, py::arg("x"), py::arg("y"), py::arg("k"), py::arg("metric"), NoGil(),
        "(distances, indices). Collective.");
  m.def("distance_sums", &distance_sums, py::arg("x"), py::arg("group"), py::arg("groups"), py::arg("metric"),
        NoGil(), "Collective.");
  m.def("gather_rows", &gather_rows_array, py::arg("x"), py::arg("rows"), NoGil(), "Replicated. Collective.");
  m.def("column_statistics", &statistics_tuple, py::arg("x"), py::arg("weights"), py::arg("fn"), NoGil(),
        "(count, mean, variance, min, max). Collective.");
  m.def("scale_columns", &scale_columns, py::arg("x"), py::arg("shift"), py::arg("factor"), NoGil(),
        "(x - shift) * factor. Local.");
  m.def("kmeans", &kmeans_tuple, py::arg("x"), py::arg("centers"), py::arg("weights"), py::arg("max_iter"),
        py::arg("tol"), py::arg("visit") = std::nullopt, NoGil(),
        "(centers, labels, inertia, iterations). Collective.");
  m.def("dbscan", &dbscan_tuple, py::arg("x"), py::arg("radius"), py::arg("least"), py::arg("weights"),
        py::arg("metric"), NoGil(), "(labels, core). Collective.");
  m.def("assign_rows", &assign_tuple, py::arg("x"), py::arg("centers"), py::arg("weights"), py::arg("metric"),
        NoGil(), "(labels, total). Collective.");
  m.def("plus_plus_centers", &plus_plus_centers, py::arg("x"), py::arg("k"), py::arg("weights"),
        py::arg("metric"), py::arg("seed"), NoGil(), "Collective.");
  m.def("oversample", &oversample_tuple, py::arg("x"), py::arg("expected"), py::arg("rounds"),
        py::arg("metric"), py::arg("seed"), NoGil(), "(rows, weights). Collective.");
  m.def("lasso", &lasso_tuple, py::arg("x"), py::arg("y"), py::arg("penalty"), py::arg("ridge"),
        py::arg("unpenalized"), py::arg("max_iter"), py::arg("tol"), py::arg("center"), NoGil(),
        "(theta, intercept, iterations). Collective.");
  m.def("class_log_likelihood", &class_log_likelihood, py::arg("x"), py::arg("mean"), py::arg("precision"),
        py::arg("constant"), NoGil(), "Local.");
  m.def("class_statistics", &class_statistics_tuple, py::arg("x"), py::arg("class_of"), py::arg("classes"),
        py::arg("weights"), NoGil(), "(count, mean, m2). Collective.");
}

}  // namespace eh
