// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>
#include <pybind11/pybind11.h>

#include <optional>

namespace eh {

/// The numbers of nested lists or tuples of equal lengths, in C order: float32 if one of them is a float, else int64.
/// Absent where it holds anything but Python's own floats and ints, is ragged or empty, or a number does not fit: NumPy
/// then decides what it is.
std::optional<at::Tensor> tensor_of(const pybind11::handle& sequence);

}  // namespace eh
