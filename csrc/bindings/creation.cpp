// SPDX-License-Identifier: BSD-3-Clause
#include "array/creation.hpp"

#include <pybind11/complex.h>

#include <variant>

#include "array/edges.hpp"
#include "array/tensor_comm.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

NewArray spec(Shape shape, std::optional<int> split, at::ScalarType dtype, at::Device device, CommPtr comm) {
  const int axis = split_from(split, static_cast<int>(shape.size()), "split");
  return {std::move(shape), axis, dtype, device, std::move(comm)};
}

/// Python's numbers, narrowest first: torch's caster to at::Scalar does not load.
using Number = std::variant<bool, std::int64_t, std::uint64_t, double, c10::complex<double>>;

void bind_filled(py::module_& m) {
  m.def("empty", &empty, py::arg("spec"), NoGil());
  m.def(
      "full",
      [](const NewArray& s, const Number& value) {
        return full(s, std::visit([](auto number) { return at::Scalar(number); }, value));
      },
      py::arg("spec"), py::arg("value"), NoGil());
  m.def("eye", &eye, py::arg("spec"), NoGil());
  m.def("arange_float", py::overload_cast<const NewArray&, double, double>(&arange), py::arg("spec"),
        py::arg("first"), py::arg("second"), NoGil());
  m.def("arange_int", py::overload_cast<const NewArray&, std::int64_t, std::int64_t>(&arange),
        py::arg("spec"), py::arg("first"), py::arg("step"), NoGil());
  m.def(
      "linspace",
      [](const NewArray& s, double start, double delta, double div, std::optional<double> last) {
        return linspace(s, {start, delta, div, last});
      },
      py::arg("spec"), py::arg("start"), py::arg("delta"), py::arg("div"), py::arg("last"), NoGil());
}

void bind_given(py::module_& m) {
  m.def(
      "from_global",
      [](const at::Tensor& whole, std::optional<int> split, bool copy, const CommPtr& comm) {
        return from_global(whole, split_from(split, static_cast<int>(whole.dim()), "array: split"), copy,
                           comm);
      },
      py::arg("whole"), py::arg("split"), py::arg("copy"), py::arg("comm"), NoGil(),
      "The chunk of a tensor that every rank has whole. Local.");
  m.def("from_blocks", &from_blocks, py::arg("block"), py::arg("split"), py::arg("comm"), NoGil(),
        "The array whose blocks the ranks bring; None for a rank without one. Collective.");
  m.def(
      "gather_edges",
      [](const DNDarray& x, std::int64_t edge) {
        return gather_edges(as_signed(x), edge).view(x.local().scalar_type());
      },
      py::arg("x"), py::arg("edge"), NoGil(),
      "What printing shows of a large array, on every rank. Collective.");
}

}  // namespace

void register_creation(py::module_& m) {
  py::class_<NewArray>(m, "NewArray", "Shape, distribution and kind of a new array.")
      .def(py::init(&spec), py::arg("shape"), py::arg("split"), py::arg("dtype"), py::arg("device"),
           py::arg("comm"));
  bind_filled(m);
  bind_given(m);
  m.def(
      "promote",
      [](at::ScalarType a, at::ScalarType b) { return scalar_type_of(promote(dtype_of(a), dtype_of(b))); },
      py::arg("a"), py::arg("b"), "Result type of an operation between arrays of two types.");
}

}  // namespace eh
