// SPDX-License-Identifier: BSD-3-Clause
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "bindings/register.hpp"
#include "comm/call.hpp"
#include "comm/leaving.hpp"
#include "comm/trace.hpp"
#include "comm/watchdog.hpp"
#include "kernels/pages.hpp"

namespace eh {
namespace {

namespace py = pybind11;

/// Frames of files below these folders, ours and torch's, are no lines of the user's program. Leaked: read until the
/// process ends.
std::vector<std::string>& package_folders() {
  static auto* const folders = new std::vector<std::string>;
  return *folders;
}

std::string line_of(const py::handle& frame) {
  auto* const raw = reinterpret_cast<PyFrameObject*>(frame.ptr());
  const auto code = py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(PyFrame_GetCode(raw)));
  const auto file = py::cast<std::string>(code.attr("co_filename"));
  for (const std::string& folder : package_folders())
    if (file.starts_with(folder)) return "";
  return file + ":" + std::to_string(PyFrame_GetLineNumber(raw)) + " in " +
         py::cast<std::string>(code.attr("co_name"));
}

/// The innermost Python line outside these folders.
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
std::atomic<bool> stacks_printed{false};
void (*print_stacks)(int) = nullptr;

void print_stacks_and_say_so(int signal) {
  print_stacks(signal);
  stacks_printed = true;
}

/// Our handler in front of the one that is there.
void wrap_handler(int signal) {
  struct sigaction action = {};
  const bool there = sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_DFL;
  if (!there || action.sa_handler == SIG_IGN || action.sa_handler == print_stacks_and_say_so) return;
  print_stacks = action.sa_handler;
  action.sa_handler = print_stacks_and_say_so;
  sigaction(signal, &action, nullptr);
  stack_signal = signal;
}

/// Returns when they are printed, which takes long where there are more ranks than cores; or after two seconds.
void dump_stacks() {
  using namespace std::chrono_literals;
  if (stack_signal == 0) return;
  stacks_printed = false;
  kill(getpid(), stack_signal);
  for (int i = 0; i < 200 && !stacks_printed; ++i) std::this_thread::sleep_for(10ms);
}

void register_trace(py::module_& m) {
  py::class_<Span>(m, "Span", "One call of the communication layer; times in nanoseconds.")
      .def_readonly("name", &Span::name)
      .def_readonly("start", &Span::start)
      .def_readonly("blocked", &Span::blocked, "When the program began to wait.")
      .def_readonly("end", &Span::end)
      .def_readonly("bytes", &Span::bytes)
      .def_readonly("comm", &Span::comm)
      .def_readonly("number", &Span::number, "Of the collective on its communicator; -1: a message.")
      .def_readonly("ranks", &Span::ranks)
      .def_readonly("thread", &Span::thread)
      .def_readonly("nonblocking", &Span::nonblocking)
      .def_readonly("line", &Span::line);
  m.def("start_trace", &start_trace, py::arg("lines"), "Records calls from now on.");
  m.def("stop_trace", &stop_trace, "The calls recorded; no more are.");
  m.def("tracing", [] { return tracing.load(); }, "Whether calls are recorded.");
}

}  // namespace

void register_diagnostics(py::module_& m) {
  m.def("keep_freed_memory", &kernels::keep_freed_memory,
        "Freed memory stays for the next arrays: glibc gives less of it back to the system. Local.");
  m.def(
      "set_package_folders", [](std::vector<std::string> folders) { package_folders() = std::move(folders); },
      py::arg("folders"), "Frames of files below them are left out when the line of a call is looked for.");
  m.def(
      "start_watchdog",
      [](const Communicator& comm, double seconds, int signal) {
        wrap_handler(signal);
        start_watchdog(comm, {.seconds = seconds, .dump_stacks = dump_stacks});
      },
      py::arg("comm"), py::arg("seconds"), py::arg("signal"), py::call_guard<py::gil_scoped_release>());
  m.def(
      "leave_together",
      [](const Communicator& world, int signal) { leave_together(world, {.stack_signal = signal}); },
      py::arg("world"), py::arg("signal"), py::call_guard<py::gil_scoped_release>(),
      "When MPI ends on a rank that others still wait for in a collective, the job ends.");
  m.def("keep_counts", &keep_counts, "For the end of the program, before its communicators go. Local.");
  m.def("watchdog_runs", &watchdog_runs);
  m.def("latest_calls", &latest_calls,
        "The latest calls of the communication layer, while they are recorded.");
  m.def("python_line", &python_line);
  register_trace(m);
  set_location_hook(python_line);
}

}  // namespace eh
