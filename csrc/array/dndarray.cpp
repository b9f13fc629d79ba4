// SPDX-License-Identifier: BSD-3-Clause
#include "array/dndarray.hpp"

#include "base/error.hpp"

namespace eh {

DNDarray make_array(at::Tensor local, LayoutPtr layout, CommPtr comm) {
  const Shape expected = layout->lshape(comm->rank());
  EH_CHECK(shape_of(local) == expected, ValueError, "array: the local block on rank ", comm->rank(),
           " has shape ", to_string(shape_of(local)), " but the layout gives it ", to_string(expected));
  return {std::move(local), std::move(layout), std::move(comm)};
}

}  // namespace eh
