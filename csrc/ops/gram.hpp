// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

/// Gram matrices of this rank's samples, without a widened copy of them. No gradient.
namespace eh {

/// z'z of the rows z = [x y] - shift: (f + t, f + t) float64, zeros of no rows. `shift` (f + t,) float64 may be
/// undefined. One pass of the native kernel for few columns on the CPU, else products of blocks of rows.
at::Tensor gram_of_rows(const at::Tensor& x, const at::Tensor& y, const at::Tensor& shift);

}  // namespace eh
