// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <csignal>
#include <string>
#include <unistd.h>

#include "bindings/register.hpp"
#include "comm/call.hpp"
#include "comm/watchdog.hpp"

namespace eh {
namespace {

namespace py = pybind11;

/// Frames of files below it are ours and no line of the user's program. Leaked: read until the process ends.
std::string& package_folder() {
  static auto* const folder = new std::string;
  return *folder;
}

std::string line_of(const py::handle& frame) {
  auto* const raw = reinterpret_cast<PyFrameObject*>(frame.ptr());
  const auto code = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(PyFrame_GetCode(raw)));
  const auto file = py::cast<std::string>(code.attr("co_filename"));
  if (!package_folder().empty() && file.starts_with(package_folder())) return "";
  return file + ":" + std::to_string(PyFrame_GetLineNumber(raw)) + " in " +
         py::cast<std::string>(code.attr("co_name"));
}

/// The innermost Python line outside the package.
std::string python_line() {
  if (Py_IsInitialized() == 0) return "";
  const py::gil_scoped_acquire gil;
  auto frame = py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(PyEval_GetFrame()));
  while (frame) {
    if (auto line = line_of(frame); !line.empty()) return line;
    frame = py::reinterpret_steal<py::object>(
        reinterpret_cast<PyObject*>(PyFrame_GetBack(reinterpret_cast<PyFrameObject*>(frame.ptr()))));
  }
  return "";
}

/// The signal whose handler (Python's faulthandler) prints the stacks of all threads without taking any lock.
std::atomic<int> stack_signal{0};

void dump_stacks() {
  if (stack_signal != 0) kill(getpid(), stack_signal);
}

}  // namespace

void register_diagnostics(py::module_& m) {
  m.def(
      "set_package_folder", [](std::string folder) { package_folder() = std::move(folder); },
      py::arg("folder"), "Frames of files below it are left out when the line of a call is looked for.");
  m.def(
      "start_watchdog",
      [](const Communicator& comm, double seconds, int signal) {
        stack_signal = signal;
        start_watchdog(comm, {.seconds = seconds, .dump_stacks = dump_stacks});
      },
      py::arg("comm"), py::arg("seconds"), py::arg("signal"), py::call_guard<py::gil_scoped_release>());
  m.def("watchdog_runs", &watchdog_runs);
  m.def("latest_calls", &latest_calls,
        "The latest calls of the communication layer, while they are recorded.");
  m.def("python_line", &python_line);
  set_location_hook(python_line);
}

}  // namespace eh
