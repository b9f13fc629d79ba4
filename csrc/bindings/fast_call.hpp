// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <deque>
#include <limits>

#include "base/error.hpp"
#include "bindings/casters.hpp"

/// Builtin functions on Python's array objects without pybind11's argument conversion, which costs more than a
/// small operation: the table operations are called through these.
namespace eh::fast {

/// Python's array class as seen from here; set once, when equiheat.array is imported.
struct ArrayClass {
  PyTypeObject* type = nullptr;  ///< results are made of it
  PyTypeObject* base = nullptr;  ///< declares the slot
  PyTypeObject* core = nullptr;  ///< what the slot holds
  Py_ssize_t slot = 0;           ///< offset of `_core` in an instance
  PyObject* convert = nullptr;   ///< (value, Communicator or None) -> Array, or None where it cannot
};

inline ArrayClass& array_class() {
  static ArrayClass known;
  return known;
}

inline PyObject*& slot_of(PyObject* array) {
  return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(array) + array_class().slot);
}

inline bool is_array(PyObject* object) {
  const ArrayClass& known = array_class();
  return Py_TYPE(object) == known.type ||
         (known.base != nullptr && PyType_IsSubtype(Py_TYPE(object), known.base));
}

/// A copy (three reference counts), so that the array stays while the GIL is released.
inline DNDarray array_in(PyObject* array) {
  PyObject* core = slot_of(array);
  if (core == nullptr || Py_TYPE(core) != array_class().core)
    throw TypeError("array: the object holds no array");
  return *static_cast<DNDarray*>(reinterpret_cast<py::detail::instance*>(core)->simple_value_holder[0]);
}

inline PyObject* new_array(DNDarray&& x) {
  PyTypeObject* type = array_class().type;
  py::object core = py::cast(std::move(x));
  PyObject* array = type->tp_alloc(type, 0);
  if (array == nullptr) throw py::error_already_set();
  slot_of(array) = core.release().ptr();
  return array;
}

/// What Python's ints beyond 64 bits are.
enum class Huge : std::uint8_t {
  Refused,   ///< OverflowError
  Real,      ///< their float64
  Infinite,  ///< in comparisons with integers, which all are less or all greater
};

/// A Python int of more than 64 bits.
inline at::Scalar huge_number(PyObject* object, Huge huge) {
  EH_CHECK(huge != Huge::Refused, OverflowError,
           "a Python integer of more than 64 bits does not fit into an array of integers");
  if (huge == Huge::Infinite) {
    int sign = 0;
    PyLong_AsLongLongAndOverflow(object, &sign);
    return at::Scalar(sign * std::numeric_limits<double>::infinity());
  }
  const double value = PyLong_AsDouble(object);  // OverflowError beyond float64
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return at::Scalar(value);
}

/// Whether it is a Python number; NumPy's scalars have a width and count as arrays (its float64 and complex128 derive from
/// Python's types).
inline bool is_number(PyObject* object) {
  return PyFloat_CheckExact(object) || PyLong_Check(object) || PyComplex_CheckExact(object);
}

/// The value of what is_number(); absent otherwise.
inline std::optional<at::Scalar> number_in(PyObject* object, Huge huge = Huge::Refused) {
  if (PyFloat_CheckExact(object)) return at::Scalar(PyFloat_AS_DOUBLE(object));
  if (PyBool_Check(object)) return at::Scalar(object == Py_True);
  if (PyLong_Check(object)) {
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) return at::Scalar(static_cast<std::int64_t>(value));
    const unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong(object) : 0;
    if (overflow > 0 && PyErr_Occurred() == nullptr) return at::Scalar(static_cast<std::uint64_t>(large));
    PyErr_Clear();
    return huge_number(object, huge);
  }
  if (!PyComplex_CheckExact(object)) return std::nullopt;
  return at::Scalar(c10::complex<double>(PyComplex_RealAsDouble(object), PyComplex_ImagAsDouble(object)));
}

/// An array from anything Python can make one of (NumPy and torch arrays, sequences, numbers), replicated over
/// the ranks of `like`; absent where it cannot.
inline std::optional<DNDarray> array_from(PyObject* object, const CommPtr& like) {
  if (is_array(object)) return array_in(object);
  const py::object comm = like == nullptr ? py::none() : py::cast(like);
  const auto convert = py::reinterpret_borrow<py::object>(array_class().convert);
  const py::object core = convert(py::handle(object), comm);
  if (core.is_none()) return std::nullopt;
  return core.cast<DNDarray>();
}

/// array_from, or a TypeError that names the function.
inline DNDarray array_or_error(PyObject* object, const CommPtr& like, const char* name) {
  std::optional<DNDarray> array = array_from(object, like);
  EH_CHECK(array.has_value(), TypeError, name,
           ": operand must be a DNDarray, a number or an array of numbers, is ",
           static_cast<std::string>(py::str(py::handle(reinterpret_cast<PyObject*>(Py_TYPE(object))))));
  return *std::move(array);
}

/// Runs without the GIL.
template <typename F>
auto without_gil(F&& compute) {
  struct Release {
    PyThreadState* state = PyEval_SaveThread();
    ~Release() { PyEval_RestoreThread(state); }
  } release;
  return compute();
}

/// What a builtin is made of: the row it stands for, the arguments, how many.
using Body = PyObject* (*)(const void* row, PyObject* const* args, Py_ssize_t count);

template <Body body>
PyObject* entry(PyObject* self, PyObject* const* args, Py_ssize_t count) noexcept {
  try {
    return body(PyCapsule_GetPointer(self, nullptr), args, count);
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (...) {
    py::detail::try_translate_exceptions();
  }
  return nullptr;
}

/// A builtin function for one table row; positional arguments only. The row must outlive the interpreter.
template <Body body>
py::object builtin(const char* name, const void* row) {
  static std::deque<PyMethodDef> definitions;
  definitions.push_back(
      {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(&entry<body>)), METH_FASTCALL, nullptr});
  const py::capsule self(row, static_cast<const char*>(nullptr));
  return py::reinterpret_steal<py::object>(PyCFunction_New(&definitions.back(), self.ptr()));
}

}  // namespace eh::fast
