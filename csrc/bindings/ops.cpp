// SPDX-License-Identifier: BSD-3-Clause
#include <Python.h>
#include <structmember.h>

#include "bindings/fast_call.hpp"
#include "bindings/register.hpp"
#include "ops/elementwise.hpp"
#include "ops/reduce.hpp"

namespace eh {
namespace {

using fast::array_from;
using fast::array_in;
using fast::array_or_error;
using fast::Huge;
using fast::is_array;
using fast::is_number;
using fast::new_array;
using fast::number_in;
using fast::without_gil;

void check_count(const char* name, Py_ssize_t given, Py_ssize_t wanted) {
  EH_CHECK(given == wanted, TypeError, name, ": ", wanted, " arguments expected, got ", given);
}

PyObject* unary_body(const void* row, PyObject* const* args, Py_ssize_t count) {
  const auto& op = *static_cast<const UnaryOp*>(row);
  check_count(op.name, count, 1);
  const DNDarray x = is_array(args[0]) ? array_in(args[0]) : array_or_error(args[0], nullptr, op.name);
  return new_array(without_gil([&] { return unary(op, x); }));
}

bool holds_integers(const DNDarray& x) { return at::isIntegralType(x.local().scalar_type(), true); }

/// A Python number that meets an array; absent for anything else.
std::optional<at::Scalar> number_beside(const BinaryOp& op, PyObject* object, const DNDarray& x) {
  if (!holds_integers(x)) return number_in(object, Huge::Real);
  const bool decides = op.entry == Entry::Compare || op.entry == Entry::Truth;
  return number_in(object, decides ? Huge::Infinite : Huge::Refused);
}

/// (array, number) or (number, array).
PyObject* with_number(const BinaryOp& op, const DNDarray& x, PyObject* number, bool reflected) {
  const at::Scalar value = *number_beside(op, number, x);
  return new_array(without_gil([&] { return binary(op, x, value, reflected); }));
}

/// At least one operand is neither an array nor a number; null where it cannot become one.
PyObject* with_foreign(const BinaryOp& op, PyObject* left, PyObject* right) {
  const CommPtr comm = is_array(left)    ? array_in(left).comm_ptr()
                       : is_array(right) ? array_in(right).comm_ptr()
                                         : nullptr;
  if (is_number(left)) {
    const std::optional<DNDarray> b = array_from(right, comm);
    return b ? with_number(op, *b, left, true) : nullptr;
  }
  const std::optional<DNDarray> a = array_from(left, comm);
  if (!a) return nullptr;
  if (is_number(right)) return with_number(op, *a, right, false);
  const std::optional<DNDarray> b = array_from(right, a->comm_ptr());
  return b ? new_array(without_gil([&] { return binary(op, *a, *b); })) : nullptr;
}

PyObject* binary_or_null(const BinaryOp& op, PyObject* const* args, Py_ssize_t count) {
  check_count(op.name, count, 2);
  const bool left = is_array(args[0]);
  const bool right = is_array(args[1]);
  if (left && right) {
    const DNDarray a = array_in(args[0]);
    const DNDarray b = array_in(args[1]);
    return new_array(without_gil([&] { return binary(op, a, b); }));
  }
  if (left && is_number(args[1])) return with_number(op, array_in(args[0]), args[1], false);
  if (right && is_number(args[0])) return with_number(op, array_in(args[1]), args[0], true);
  return with_foreign(op, args[0], args[1]);
}

PyObject* binary_body(const void* row, PyObject* const* args, Py_ssize_t count) {
  const auto& op = *static_cast<const BinaryOp*>(row);
  PyObject* result = binary_or_null(op, args, count);
  if (result == nullptr) {
    array_or_error(args[0], nullptr, op.name);
    array_or_error(args[1], nullptr, op.name);
  }
  return result;
}

/// Of an operator: leaves unknown operands to their own class.
PyObject* operator_body(const void* row, PyObject* const* args, Py_ssize_t count) {
  PyObject* result = binary_or_null(*static_cast<const BinaryOp*>(row), args, count);
  return result != nullptr ? result : Py_NewRef(Py_NotImplemented);
}

/// Whether the result was written into the first operand.
PyObject* update_body(const void* row, PyObject* const* args, Py_ssize_t count) {
  const auto& op = *static_cast<const BinaryOp*>(row);
  check_count(op.name, count, 2);
  if (!is_array(args[0])) Py_RETURN_FALSE;
  const DNDarray a = array_in(args[0]);
  bool done = false;
  if (is_array(args[1])) {
    const DNDarray b = array_in(args[1]);
    done = without_gil([&] { return update(op, a, b); });
  } else if (const auto number = number_beside(op, args[1], a)) {
    done = without_gil([&] { return update(op, a, *number); });
  }
  return PyBool_FromLong(done ? 1 : 0);
}

int axis_in(PyObject* object, const char* name) {
  EH_CHECK(PyIndex_Check(object) != 0, TypeError, name, ": axis must be None or int or tuple, but was ",
           static_cast<std::string>(py::str(py::handle(reinterpret_cast<PyObject*>(Py_TYPE(object))))));
  const Py_ssize_t axis = PyNumber_AsSsize_t(object, PyExc_IndexError);
  if (axis == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return static_cast<int>(axis);
}

Axes axes_in(PyObject* object, const char* name) {
  if (object == Py_None) return std::nullopt;
  if (!PyTuple_Check(object)) return std::vector<int>{axis_in(object, name)};
  std::vector<int> axes;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); ++i)
    axes.push_back(axis_in(PyTuple_GET_ITEM(object, i), name));
  return axes;
}

/// (x, axis, keepdims, dtype)
PyObject* reduce_body(const void* row, PyObject* const* args, Py_ssize_t count) {
  const auto& op = *static_cast<const Reduction*>(row);
  check_count(op.name, count, 4);
  const DNDarray x = is_array(args[0]) ? array_in(args[0]) : array_or_error(args[0], nullptr, op.name);
  const Axes axes = axes_in(args[1], op.name);
  const int keepdims = PyObject_IsTrue(args[2]);
  if (keepdims < 0) throw py::error_already_set();
  const MaybeType dtype = args[3] == Py_None ? std::nullopt : py::handle(args[3]).cast<MaybeType>();
  return new_array(without_gil([&] { return reduce(op, x, axes, keepdims != 0, dtype); }));
}

template <fast::Body body, typename Rows>
py::dict table(const Rows& rows) {
  py::dict out;
  for (const auto& row : rows) out[row.name] = fast::builtin<body>(row.name, &row);
  return out;
}

/// Tells the builtins of Python's array class and of the function that turns foreign operands into arrays.
void set_array_class(py::type type, py::type base, py::function convert) {
  const py::object member = base.attr("__dict__")["_core"];
  EH_CHECK(Py_IS_TYPE(member.ptr(), &PyMemberDescr_Type), TypeError,
           "set_array_class: ", static_cast<std::string>(py::str(base)), " has no slot _core");
  fast::ArrayClass& known = fast::array_class();
  known.slot = reinterpret_cast<PyMemberDescrObject*>(member.ptr())->d_member->offset;
  known.core = reinterpret_cast<PyTypeObject*>(py::type::of<DNDarray>().ptr());
  known.base = reinterpret_cast<PyTypeObject*>(base.release().ptr());
  known.type = reinterpret_cast<PyTypeObject*>(type.release().ptr());
  known.convert = convert.release().ptr();
}

DNDarray run_scan(const std::string& name, const DNDarray& x, std::optional<int> axis, MaybeType dtype) {
  for (const Scan& row : scans()) {
    if (name == row.name) return scan(row, x, axis, dtype);
  }
  throw ValueError(message("scan: no operation is named ", name));
}

static void register_clip(py::module_& m) {
  m.def(
      "clip",
      [](const DNDarray& x, py::handle low, py::handle high) {
        const auto bounds =
            std::make_pair(number_in(low.ptr(), Huge::Real), number_in(high.ptr(), Huge::Real));
        EH_CHECK(bounds.first && bounds.second, TypeError, "clip: bounds must be numbers");
        return without_gil([&] { return clip(x, *bounds.first, *bounds.second); });
      },
      py::arg("x"), py::arg("low"), py::arg("high"));
}

static void register_where(py::module_& m) {
  m.def(
      "where",
      [](const DNDarray& condition, py::handle x, py::handle y) {
        const auto operand = [&](py::handle value) {
          return array_or_error(value.ptr(), condition.comm_ptr(), "where");
        };
        const auto number = [](py::handle value, const DNDarray& beside) {
          return *number_in(value.ptr(), holds_integers(beside) ? Huge::Refused : Huge::Real);
        };
        const bool nx = is_number(x.ptr());
        const bool ny = is_number(y.ptr());
        if (nx && !ny) {
          const DNDarray array = operand(y);
          const at::Scalar value = number(x, array);
          return without_gil([&] { return where(condition, value, array); });
        }
        const DNDarray first = operand(x);
        if (ny && !nx) {
          const at::Scalar value = number(y, first);
          return without_gil([&] { return where(condition, first, value); });
        }
        const DNDarray second = operand(y);
        return without_gil([&] { return where(condition, first, second); });
      },
      py::arg("condition"), py::arg("x"), py::arg("y"));
}

void register_elementwise(py::module_& m) {
  register_where(m);
  register_clip(m);
  m.def("round", &round, py::arg("x"), py::arg("decimals"), NoGil());
  m.def("nan_to_num", &nan_to_num, py::arg("x"), py::arg("nan"), py::arg("posinf"), py::arg("neginf"),
        NoGil());
  m.def("isclose", &isclose, py::arg("a"), py::arg("b"), py::arg("rtol"), py::arg("atol"),
        py::arg("equal_nan"), NoGil());
  m.def("ldexp", &ldexp, py::arg("x"), py::arg("exponent"), NoGil());
  m.def(
      "modf",
      [](const DNDarray& x) {
        auto [a, b] = modf(x);
        return std::make_tuple(a, b);
      },
      py::arg("x"), NoGil());
  m.def(
      "frexp",
      [](const DNDarray& x) {
        auto [a, b] = frexp(x);
        return std::make_tuple(a, b);
      },
      py::arg("x"), NoGil());
  m.def(
      "assign",
      [](const DNDarray& out, const DNDarray& values, const std::optional<DNDarray>& mask,
         const std::string& fn) { assign(out, values, mask, fn.c_str()); },
      py::arg("out"), py::arg("values"), py::arg("mask"), py::arg("fn"), NoGil(),
      "Write values into the memory of out where mask holds. Collective.");
}

void register_reductions(py::module_& m) {
  m.def("mean", &mean, py::arg("x"), py::arg("axes"), py::arg("keepdims"), py::arg("dtype"), NoGil());
  m.def("var", &variance, py::arg("x"), py::arg("axes"), py::arg("keepdims"), py::arg("dtype"),
        py::arg("ddof"), NoGil());
  m.def("arg_extreme", &arg_extreme, py::arg("largest"), py::arg("x"), py::arg("axis"), py::arg("keepdims"),
        NoGil());
  m.def("scan", &run_scan, py::arg("name"), py::arg("x"), py::arg("axis"), py::arg("dtype"), NoGil());
}

}  // namespace

void register_ops(py::module_& m) {
  m.def("set_array_class", &set_array_class, py::arg("type"), py::arg("base"), py::arg("convert"));
  m.attr("unary") = table<&unary_body>(unary_ops());
  m.attr("binary") = table<&binary_body>(binary_ops());
  m.attr("operators") = table<&operator_body>(binary_ops());
  m.attr("updates") = table<&update_body>(binary_ops());
  m.attr("reductions") = table<&reduce_body>(reductions());
  register_elementwise(m);
  register_reductions(m);
}

}  // namespace eh
