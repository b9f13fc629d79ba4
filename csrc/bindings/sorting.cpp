// SPDX-License-Identifier: BSD-3-Clause
#include "ops/sorting.hpp"

#include "bindings/casters.hpp"
#include "bindings/register.hpp"

namespace eh {
namespace {

using OptionalArray = std::optional<DNDarray>;

std::tuple<OptionalArray, OptionalArray> sort_tuple(const DNDarray& x, std::optional<int> axis,
                                                    bool descending, bool values, bool indices) {
  Sorted sorted = sort(x, axis, descending, values, indices);
  return {sorted.values, sorted.indices};
}

}  // namespace

void register_sorting(py::module_& m) {
  m.def("sort", &sort_tuple, py::arg("x"), py::arg("axis"), py::arg("descending"), py::arg("values"),
        py::arg("indices"), NoGil(), "(values or None, indices or None). Collective.");
  m.def("topk", &topk, py::arg("x"), py::arg("k"), py::arg("axis"), py::arg("largest"), NoGil(),
        "(values, indices). Collective.");
}

}  // namespace eh
