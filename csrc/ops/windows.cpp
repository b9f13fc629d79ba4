// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "layout/slicing.hpp"
#include "ops/growing.hpp"

namespace eh {

DNDarray windows(const DNDarray& x, int axis, std::int64_t size, std::int64_t step) {
  axis = normalize_axis(axis, x.ndim(), "unfold");
  Shape shape = x.shape();
  std::int64_t& extent = shape[static_cast<std::size_t>(axis)];
  EH_CHECK(size >= 1 && size <= extent, ValueError, "unfold: size ", size, " must be from 1 to the ", extent,
           " entries of axis ", axis);
  EH_CHECK(step >= 1, ValueError, "unfold: step must be positive, is ", step);
  const AxisSlice starts{0, step, (extent - size) / step + 1};
  extent = starts.count;
  shape.push_back(size);
  if (axis != x.split()) {
    const Layout layout = x.layout().is_split() ? x.layout().with_shape(shape, x.split())
                                                : Layout::replicated(shape, x.comm().size());
    return {x.local().unfold(axis, size, step), share(layout), x.comm_ptr()};
  }
  const SplitSlice part = slice_counts(x.layout().counts(), starts);
  const Halo halo = exchange_halo(x, 0, size - 1, false);
  const auto me = static_cast<std::size_t>(x.comm().rank());
  const std::int64_t n = part.counts[me];
  const LayoutPtr layout = share(Layout::with_counts(shape, axis, part.counts));
  if (n == 0) {  // part of the graph even so: all ranks take part in the halo's adjoint
    const Shape own = layout->lshape(x.comm().rank());
    return {halo.extended.narrow(axis, 0, 0).unsqueeze(-1).expand(sizes(own)), layout, x.comm_ptr()};
  }
  const at::Tensor rows = halo.extended.narrow(axis, part.starts[me], (n - 1) * step + size);
  return {rows.unfold(axis, size, step), layout, x.comm_ptr()};
}

}  // namespace eh
