// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/List.h>

#include <optional>
#include <vector>

#include "array/dndarray.hpp"
#include "layout/slicing.hpp"

/// The steps that indexing is made of. Collective unless said otherwise.
namespace eh {

// selection.cpp
/// The ascending slice of every axis, a view of x's block. Local.
DNDarray slice_view(const DNDarray& x, const std::vector<AxisSlice>& axes);

/// The block of `value` that broadcasts against the block of an array laid out as `region`: `value` is 0-d or has
/// as many axes, with extents equal or 1.
at::Tensor spread(const DNDarray& value, const Layout& region);

/// An advanced index of axis `axis` and those behind it: [none, ..., none, indices...].
c10::List<std::optional<at::Tensor>> advanced_index(const std::vector<at::Tensor>& indices, int axis);

/// Whether elements of a block share memory (broadcast arrays, sliding windows): whether an axis steps less far than those
/// of shorter steps reach. Local.
bool elements_overlap(const at::Tensor& block);

/// Row numbers as a tensor beside `like`. Local.
at::Tensor index_tensor(const std::vector<std::int64_t>& rows, const at::Tensor& like);

// masking.cpp: a mask covers axes [axis, axis + mask.ndim()) of x, which become one
/// Elements under the mask.
DNDarray select_mask(const DNDarray& x, const DNDarray& mask, int axis);
/// Number of elements under a mask.
std::int64_t count_true(const DNDarray& mask);
/// Writes `value` where the mask holds. @pre its extent along `axis` is 1 or n = count_true(mask), or it is 0-d
void put_mask(const DNDarray& x, const DNDarray& mask, int axis, const DNDarray& value, std::int64_t n);

}  // namespace eh
