// SPDX-License-Identifier: BSD-3-Clause
#include <c10/util/Exception.h>
#include <pybind11/pybind11.h>

#include "base/error.hpp"
#include "bindings/register.hpp"

namespace eh {
namespace {

namespace py = pybind11;

/// Python's type for an error of ATen, whose message comes without the C++ backtrace.
PyObject* python_type(const c10::Error& error) {
  if (dynamic_cast<const c10::IndexError*>(&error) != nullptr) return PyExc_IndexError;
  if (dynamic_cast<const c10::ValueError*>(&error) != nullptr) return PyExc_ValueError;
  if (dynamic_cast<const c10::TypeError*>(&error) != nullptr) return PyExc_TypeError;
  if (dynamic_cast<const c10::NotImplementedError*>(&error) != nullptr) return PyExc_NotImplementedError;
  return PyExc_RuntimeError;
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const AxisError& e) {
    const py::object type = py::module_::import("equiheat.errors").attr("AxisError");
    PyErr_SetString(type.ptr(), e.what());
  } catch (const ValueError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const TypeError& e) {
    PyErr_SetString(PyExc_TypeError, e.what());
  } catch (const OverflowError& e) {
    PyErr_SetString(PyExc_OverflowError, e.what());
  } catch (const IndexError& e) {
    PyErr_SetString(PyExc_IndexError, e.what());
  } catch (const NotSupported& e) {
    PyErr_SetString(PyExc_NotImplementedError, e.what());
  } catch (const c10::Error& e) {
    PyErr_SetString(python_type(e), e.what_without_backtrace());
  }
}

}  // namespace

void register_errors(py::module_& m) {
  py::register_exception<CommError>(m, "CommunicationError", PyExc_RuntimeError);
  py::register_exception<DeviceError>(m, "DeviceError", PyExc_RuntimeError);
  py::register_exception_translator(&translate);
}

}  // namespace eh
