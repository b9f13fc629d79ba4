// SPDX-License-Identifier: BSD-3-Clause
#include "bindings/sequences.hpp"

#include <ATen/ops/empty_ops.h>

#include <algorithm>

#include "array/dndarray.hpp"

namespace eh {
namespace {

constexpr std::size_t kMostAxes = 32;

bool is_sequence(PyObject* x) { return PyList_CheckExact(x) != 0 || PyTuple_CheckExact(x) != 0; }

/// What the numbers are and how they are nested. No Python code runs, so the lists stay as they are.
class Survey {
 public:
  Shape shape;
  bool real = false;

  /// False for what NumPy must look at.
  bool add(PyObject* x, std::size_t depth) {
    if (!is_sequence(x)) return add_number(x, depth);
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(x);
    if (depth == shape.size() && !at_numbers_ && depth < kMostAxes) shape.push_back(n);
    if (n == 0 || depth >= shape.size() || shape[depth] != n) return false;
    PyObject** items = PySequence_Fast_ITEMS(x);
    return std::all_of(items, items + n, [&](PyObject* item) { return add(item, depth + 1); });
  }

 private:
  bool add_number(PyObject* x, std::size_t depth) {
    at_numbers_ = true;
    real = real || PyFloat_CheckExact(x) != 0;
    return depth == shape.size() && (PyFloat_CheckExact(x) != 0 || PyLong_CheckExact(x) != 0);
  }

  bool at_numbers_ = false;  ///< the depth is known
};

/// False for an integer that does not fit.
bool read(PyObject* x, float& out) {
  const double value = PyFloat_CheckExact(x) ? PyFloat_AS_DOUBLE(x) : PyLong_AsDouble(x);
  out = static_cast<float>(value);
  const bool failed = value == -1.0 && PyErr_Occurred() != nullptr;
  if (failed) PyErr_Clear();
  return !failed;
}

bool read(PyObject* x, std::int64_t& out) {
  int overflow = 0;
  out = PyLong_AsLongLongAndOverflow(x, &overflow);
  return overflow == 0;
}

template <typename T>
bool fill(PyObject* x, T*& out) {
  if (!is_sequence(x)) return read(x, *out++);
  PyObject** items = PySequence_Fast_ITEMS(x);
  return std::all_of(items, items + PySequence_Fast_GET_SIZE(x),
                     [&](PyObject* item) { return fill(item, out); });
}

template <typename T>
std::optional<at::Tensor> filled(PyObject* sequence, const Shape& shape) {
  const at::Tensor out = at::_ops::empty_memory_format::call(c10::fromIntArrayRefSlow(sizes(shape)),
                                                             c10::CppTypeToScalarType<T>::value, at::kStrided,
                                                             at::kCPU, std::nullopt, std::nullopt);
  T* next = out.mutable_data_ptr<T>();
  return fill(sequence, next) ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<at::Tensor> tensor_of(const pybind11::handle& sequence) {
  Survey survey;
  if (!is_sequence(sequence.ptr()) || !survey.add(sequence.ptr(), 0)) return std::nullopt;
  return survey.real ? filled<float>(sequence.ptr(), survey.shape)
                     : filled<std::int64_t>(sequence.ptr(), survey.shape);
}

}  // namespace eh
