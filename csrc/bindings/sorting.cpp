// SPDX-License-Identifier: BSD-3-Clause
#include "ops/sorting.hpp"

#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/histogram.hpp"
#include "ops/quantile.hpp"
#include "ops/unique.hpp"

namespace eh {
namespace {

using OptionalArray = std::optional<DNDarray>;

std::tuple<OptionalArray, OptionalArray> sort_tuple(const DNDarray& x, std::optional<int> axis,
                                                    bool descending, bool values, bool indices) {
  Sorted sorted = sort(x, axis, descending, values, indices);
  return {sorted.values, sorted.indices};
}

std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>, std::vector<double>> positions_tuple(
    const std::string& method, const std::vector<double>& q, std::int64_t n) {
  QuantilePositions p = quantile_positions(method, q, n);
  return {p.lower, p.upper, p.weight};
}

std::tuple<DNDarray, OptionalArray, OptionalArray, OptionalArray> unique_tuple(const DNDarray& x,
                                                                               std::optional<int> axis,
                                                                               bool indices, bool inverse,
                                                                               bool counts, bool equal_nan) {
  Unique u = unique(x, axis, {indices, inverse, counts, equal_nan});
  return {u.values, u.indices, u.inverse, u.counts};
}

std::tuple<double, double, std::int64_t> range_tuple(const DNDarray& x) {
  const ValueRange range = value_range(x);
  return {range.least, range.greatest, range.nans};
}

}  // namespace

void register_sorting(py::module_& m) {
  m.def("sort", &sort_tuple, py::arg("x"), py::arg("axis"), py::arg("descending"), py::arg("values"),
        py::arg("indices"), NoGil(), "(values or None, indices or None). Collective.");
  m.def("topk", &topk, py::arg("x"), py::arg("k"), py::arg("axis"), py::arg("largest"), NoGil(),
        "(values, indices). Collective.");
  m.def("quantile", &quantile, py::arg("x"), py::arg("q"), py::arg("axes"), py::arg("method"),
        py::arg("skip_nan"), py::arg("keepdims"), NoGil(), "One row for each q. Collective.");
  m.def("quantile_positions", &positions_tuple, py::arg("method"), py::arg("q"), py::arg("n"),
        "(lower, upper, weight of the upper). Local.");
  m.def("unique", &unique_tuple, py::arg("x"), py::arg("axis"), py::arg("indices"), py::arg("inverse"),
        py::arg("counts"), py::arg("equal_nan"), NoGil(),
        "(values, first indices, inverse, counts), the latter three if wanted. Collective.");
  m.def("value_range", &range_tuple, py::arg("x"), NoGil(), "(least, greatest, number of NaN). Collective.");
  m.def("histogram", &histogram, py::arg("x"), py::arg("edges"), py::arg("even"), py::arg("weights"), NoGil(),
        "Collective.");
  m.def("bincount", &bincount, py::arg("x"), py::arg("weights"), py::arg("minlength"), NoGil(),
        "Collective.");
  m.def("searchsorted", &searchsorted, py::arg("a"), py::arg("v"), py::arg("right"), NoGil(), "Collective.");
}

}  // namespace eh
