// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// pybind11's own header first: torch ships another copy of it.
#include <pybind11/native_enum.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <torch/csrc/utils/pybind.h>

#include <optional>

#include "array/dndarray.hpp"

namespace eh {

namespace py = pybind11;

/// Heavy functions run without the GIL.
using NoGil = py::call_guard<py::gil_scoped_release>;

/// Python's `split`: None or an axis, negative ones counted from the end.
inline int split_from(std::optional<int> split, int ndim, const char* fn) {
  return split ? normalize_axis(*split, ndim, fn) : kNoSplit;
}
inline std::optional<int> split_to(int split) {
  return split == kNoSplit ? std::nullopt : std::optional<int>(split);
}

}  // namespace eh
