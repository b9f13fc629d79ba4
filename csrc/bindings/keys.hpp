// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <vector>

#include "bindings/casters.hpp"
#include "layout/slicing.hpp"

/// Python's index expressions as the core takes them.
namespace eh {

/// A slice's bound; one beyond 64 bits is cut off, as Python does.
inline std::optional<std::int64_t> bound_in(PyObject* value) {
  if (value == Py_None) return std::nullopt;
  const Py_ssize_t n = PyNumber_AsSsize_t(value, nullptr);
  if (n == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return n;
}

inline std::int64_t integer_in(PyObject* value) {
  const Py_ssize_t n = PyNumber_AsSsize_t(value, PyExc_IndexError);
  if (n == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return n;
}

inline KeyItem slice_in(PyObject* entry) {
  const auto* slice = reinterpret_cast<PySliceObject*>(entry);
  return {KeyItem::Kind::Slice, bound_in(slice->start), bound_in(slice->stop), bound_in(slice->step), {}};
}

/// None, ..., a slice, or (of whatever else) an integer.
inline KeyItem item_in(PyObject* entry) {
  if (entry == Py_None) return {KeyItem::Kind::NewAxis, {}, {}, {}, {}};
  if (entry == Py_Ellipsis) return {KeyItem::Kind::Ellipsis, {}, {}, {}, {}};
  if (PySlice_Check(entry)) return slice_in(entry);
  return {KeyItem::Kind::Integer, integer_in(entry), {}, {}, {}};
}

inline bool is_plain(PyObject* entry) {
  return PyLong_CheckExact(entry) || PySlice_Check(entry) || entry == Py_None || entry == Py_Ellipsis;
}

/// A key of Python's ints, slices, None and ... alone; absent for any other.
inline std::optional<std::vector<KeyItem>> plain_key(PyObject* key) {
  const bool one = !PyTuple_CheckExact(key);
  const Py_ssize_t count = one ? 1 : PyTuple_GET_SIZE(key);
  std::vector<KeyItem> items;
  items.reserve(static_cast<std::size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* entry = one ? key : PyTuple_GET_ITEM(key, i);
    if (!is_plain(entry)) return std::nullopt;
    items.push_back(item_in(entry));
  }
  return items;
}

}  // namespace eh
