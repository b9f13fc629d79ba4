// SPDX-License-Identifier: BSD-3-Clause
#include "ops/manipulation.hpp"

#include "array/redistribute.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

/// Python's optional new split: (given, axis or None).
DNDarray reshape_with(const DNDarray& x, const Shape& shape, bool same_split, std::optional<int> split) {
  if (same_split) return reshape(x, shape, std::nullopt);
  const std::string fn = "reshape: new_split";
  return reshape(x, shape, split_from(split, static_cast<int>(shape.size()), fn.c_str()));
}

DNDarray flipped(const DNDarray& x, const std::vector<int>& axes) {
  return moved(x, [&](const DNDarray& bits) { return flip(bits, axes); });
}

DNDarray resplit_to(const DNDarray& x, std::optional<int> split) {
  return resplit_copy(x, split_from(split, x.ndim(), "resplit"));
}

}  // namespace

void register_manipulation(py::module_& m) {
  m.def("reshape", &reshape_with, py::arg("x"), py::arg("shape"), py::arg("same_split") = true,
        py::arg("split") = py::none(), NoGil());
  m.def("permute", &permute, py::arg("x"), py::arg("axes"), NoGil());
  m.def("expand_dims", &expand_dims, py::arg("x"), py::arg("axes"), NoGil());
  m.def("squeeze", &squeeze, py::arg("x"), py::arg("axes"), NoGil());
  m.def("broadcast_to", &broadcast_to, py::arg("x"), py::arg("shape"), NoGil());
  m.def("flip", &flipped, py::arg("x"), py::arg("axes"), NoGil());
  m.def("roll", &roll, py::arg("x"), py::arg("shifts"), py::arg("axes"), NoGil());
  m.def("roll_flat", &roll_flat, py::arg("x"), py::arg("shift"), NoGil());
  m.def("concatenate", &concatenate, py::arg("arrays"), py::arg("axis"), NoGil());
  m.def("stack", &stack, py::arg("arrays"), py::arg("axis"), NoGil());
  m.def("resplit", &resplit_to, py::arg("x"), py::arg("split"), NoGil());
  m.def("redistribute", &redistribute_copy, py::arg("x"), py::arg("counts"), NoGil());
}

}  // namespace eh
