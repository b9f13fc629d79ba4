// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"

/// Masks on the blocks of one rank. All local; kernels on the CPU, torch elsewhere.
namespace eh {

/// Number of elements that hold.
std::int64_t count_here(const at::Tensor& mask);

/// Numbers, in C order, of the elements that hold.
at::Tensor positions_here(const at::Tensor& mask);

/// Their coordinates, one tensor per axis, where the 1-D `mask` is elements start, start + 1, ... of an array of this
/// shape.
std::vector<at::Tensor> coordinates_here(const at::Tensor& mask, std::int64_t start, const Shape& shape);

/// The entries of an axis at which the 1-D `mask` holds. Differentiable.
at::Tensor select_here(const at::Tensor& block, const at::Tensor& mask, int axis);

/// Writes where the mask, which covers the axes from `axis` on, holds: one value for all (extent 1, or 0-d), or one
/// entry of `given`'s axis `axis` for each. Differentiable in given.
void write_here(at::Tensor block, const at::Tensor& mask, int axis, const at::Tensor& given);

}  // namespace eh
