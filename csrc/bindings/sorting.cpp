// SPDX-License-Identifier: BSD-3-Clause
#include "ops/sorting.hpp"

#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/quantile.hpp"

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
}

}  // namespace eh
