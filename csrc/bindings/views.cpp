// SPDX-License-Identifier: BSD-3-Clause
#include "ops/views.hpp"

#include "bindings/fast_call.hpp"
#include "bindings/keys.hpp"
#include "bindings/register.hpp"
#include "ops/manipulation.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// A number as the dtype holds it; absent where Python must look at its bounds.
std::optional<at::Scalar> number_for(at::ScalarType type, PyObject* value) {
  const bool real = type == at::kFloat || type == at::kDouble;
  if (PyFloat_CheckExact(value) && real) {
    const double number = PyFloat_AS_DOUBLE(value);
    return type == at::kFloat ? at::Scalar(static_cast<float>(number)) : at::Scalar(number);
  }
  if (!PyLong_CheckExact(value) || !(real || type == at::kLong)) return std::nullopt;
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow != 0) return std::nullopt;
  if (!real) return at::Scalar(static_cast<std::int64_t>(number));
  return at::Scalar(static_cast<double>(number));
}

/// (x, key): the view, or None where the long way is due.
PyObject* view_body(const void* /*row*/, PyObject* const* args, Py_ssize_t count) {
  EH_CHECK(count == 2, TypeError, "basic_view: 2 arguments expected, got ", count);
  const auto key = fast::is_array(args[0]) ? plain_key(args[1]) : std::nullopt;
  if (!key) return Py_NewRef(Py_None);
  std::optional<DNDarray> view = basic_view(fast::array_in(args[0]), *key);
  return view ? fast::new_array(*std::move(view)) : Py_NewRef(Py_None);
}

/// (x, key, value): whether it was written.
PyObject* write_body(const void* /*row*/, PyObject* const* args, Py_ssize_t count) {
  EH_CHECK(count == 3, TypeError, "basic_write: 3 arguments expected, got ", count);
  const auto key = fast::is_array(args[0]) ? plain_key(args[1]) : std::nullopt;
  if (!key) Py_RETURN_FALSE;
  const DNDarray x = fast::array_in(args[0]);
  if (fast::is_array(args[2])) {
    const DNDarray value = fast::array_in(args[2]);
    return PyBool_FromLong(fast::without_gil([&] { return write_whole(x, *key, value); }) ? 1 : 0);
  }
  const std::optional<at::Scalar> number = number_for(x.local().scalar_type(), args[2]);
  if (!number) Py_RETURN_FALSE;
  return PyBool_FromLong(fast::without_gil([&] { return write_number(x, *key, *number); }) ? 1 : 0);
}

/// (x): its axes in reversed order; None for what is no array.
PyObject* reversed_body(const void* /*row*/, PyObject* const* args, Py_ssize_t count) {
  EH_CHECK(count == 1, TypeError, "transpose: 1 argument expected, got ", count);
  if (!fast::is_array(args[0])) return Py_NewRef(Py_None);
  return fast::new_array(permute(fast::array_in(args[0]), {}));
}

template <fast::Body body>
void add(py::module_& m, const char* name) {
  m.attr(name) = fast::builtin<body>(name, name);
}

}  // namespace

void register_views(py::module_& m) {
  add<&view_body>(m, "basic_view");
  add<&write_body>(m, "basic_write");
  add<&reversed_body>(m, "reversed_axes");
  m.def(
      "elements_overlap", [](const DNDarray& x) { return elements_overlap(x.local()); }, py::arg("x"),
      "Whether elements of this rank's block share memory. Local.");
}

}  // namespace eh
