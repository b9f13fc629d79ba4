// SPDX-License-Identifier: BSD-3-Clause
#include "array/creation.hpp"

#include <pybind11/complex.h>

#include <variant>

#include "array/edges.hpp"
#include "array/tensor_comm.hpp"
#include "bindings/casters.hpp"
#include "bindings/fast_call.hpp"
#include "bindings/register.hpp"
#include "bindings/sequences.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

NewArray spec(Shape shape, std::optional<int> split, at::ScalarType dtype, at::Device device, CommPtr comm) {
  const int axis = split_from(split, static_cast<int>(shape.size()), "split");
  return {std::move(shape), axis, dtype, device, std::move(comm)};
}

/// Extents given as an int or a tuple of ints; absent for anything else, which Python looks at and names.
std::optional<Shape> plain_extents(PyObject* shape) {
  const bool one = PyLong_CheckExact(shape) != 0;
  if (!one && !PyTuple_CheckExact(shape)) return std::nullopt;
  const Py_ssize_t n = one ? 1 : PyTuple_GET_SIZE(shape);
  Shape extents;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = one ? shape : PyTuple_GET_ITEM(shape, i);
    int overflow = 0;
    const long long extent = PyLong_CheckExact(item) ? PyLong_AsLongLongAndOverflow(item, &overflow) : -1;
    if (extent < 0 || overflow != 0) return std::nullopt;
    extents.push_back(extent);
  }
  return extents;
}

/// (shape, split, dtype, device, comm) as they are given nearly always; absent otherwise.
std::optional<NewArray> plain_spec(PyObject* const* args) {
  std::optional<Shape> shape = plain_extents(args[0]);
  if (!shape) return std::nullopt;
  const int ndim = static_cast<int>(shape->size());
  int split = kNoSplit;
  if (args[1] != Py_None) {
    int overflow = 0;
    const long axis = PyLong_CheckExact(args[1]) ? PyLong_AsLongAndOverflow(args[1], &overflow) : ndim;
    if (overflow != 0 || axis < -ndim || axis >= ndim) return std::nullopt;
    split = static_cast<int>(axis < 0 ? axis + ndim : axis);
  }
  return NewArray{*std::move(shape), split, py::handle(args[2]).cast<at::ScalarType>(),
                  py::handle(args[3]).cast<at::Device>(), py::handle(args[4]).cast<CommPtr>()};
}

PyObject* spec_body(const void* /*row*/, PyObject* const* args, Py_ssize_t count) {
  EH_CHECK(count == 5, TypeError, "plain_spec: 5 arguments expected, got ", count);
  std::optional<NewArray> made = plain_spec(args);
  return made ? py::cast(*std::move(made)).release().ptr() : Py_NewRef(Py_None);
}

/// plain_spec's arguments and a number: the array full of it, or None.
PyObject* filled_body(const void* /*row*/, PyObject* const* args, Py_ssize_t count) {
  EH_CHECK(count == 6, TypeError, "plain_full: 6 arguments expected, got ", count);
  const std::optional<NewArray> made = plain_spec(args);
  const std::optional<at::Scalar> value = fast::number_in(args[5]);
  if (!made || !value) return Py_NewRef(Py_None);
  return fast::new_array(fast::without_gil([&] { return full(*made, *value); }));
}

/// One of Python's ints that fits; absent for anything else.
std::optional<std::int64_t> plain_integer(PyObject* value) {
  int overflow = 0;
  const long long number = PyLong_CheckExact(value) ? PyLong_AsLongLongAndOverflow(value, &overflow) : 0;
  return PyLong_CheckExact(value) && overflow == 0 ? std::optional<std::int64_t>(number) : std::nullopt;
}

/// plain_spec's arguments, the first integer and the step: the range, or None.
PyObject* range_body(const void* /*row*/, PyObject* const* args, Py_ssize_t count) {
  EH_CHECK(count == 7, TypeError, "plain_arange: 7 arguments expected, got ", count);
  const std::optional<NewArray> made = plain_spec(args);
  const std::optional<std::int64_t> first = plain_integer(args[5]);
  const std::optional<std::int64_t> step = plain_integer(args[6]);
  if (!made || made->shape.size() != 1 || !first || !step) return Py_NewRef(Py_None);
  return fast::new_array(fast::without_gil([&] { return arange(*made, *first, *step); }));
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
  m.def("eye", &eye, py::arg("spec"), py::arg("k"), NoGil());
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
  m.def("tensor_of", &tensor_of, py::arg("sequence"),
        "float32 or int64 of nested lists or tuples of Python's floats and ints; None for anything else.");
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
  m.attr("plain_spec") = fast::builtin<&spec_body>("plain_spec", m.ptr());
  m.attr("plain_arange") = fast::builtin<&range_body>("plain_arange", m.ptr());
  m.attr("plain_full") = fast::builtin<&filled_body>("plain_full", m.ptr());
  bind_filled(m);
  bind_given(m);
  m.def(
      "promote",
      [](at::ScalarType a, at::ScalarType b) { return scalar_type_of(promote(dtype_of(a), dtype_of(b))); },
      py::arg("a"), py::arg("b"), "Result type of an operation between arrays of two types.");
}

}  // namespace eh
