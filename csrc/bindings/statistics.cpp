// SPDX-License-Identifier: BSD-3-Clause
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/reduce.hpp"

namespace eh {

void register_statistics(pybind11::module_& m) {
  m.def("skew", &skewness, py::arg("x"), py::arg("axes"), py::arg("keepdims"), py::arg("unbiased"), NoGil(),
        "Collective.");
  m.def("kurtosis", &kurtosis, py::arg("x"), py::arg("axes"), py::arg("keepdims"), py::arg("unbiased"),
        py::arg("excess"), NoGil(), "Collective.");
}

}  // namespace eh
