// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange_ops.h>

#include "array/autograd.hpp"
#include "base/error.hpp"
#include "ops/gather.hpp"
#include "ops/manipulation.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// Shape of the result beside the indexed axis, where it is the index's.
Shape common_shape(const DNDarray& x, const DNDarray& index, int axis, const char* fn) {
  EH_CHECK(x.ndim() == index.ndim(), ValueError, fn, ": the array has ", x.ndim(), " axes, the index has ",
           index.ndim(), "; they must have the same number");
  Shape shape = x.shape();
  shape[at(axis)] = 1;
  Shape other = index.shape();
  other[at(axis)] = 1;
  shape = broadcast_shapes(shape, other, fn);
  shape[at(axis)] = index.shape()[at(axis)];
  return shape;
}

/// Positions 0, 1, ... along every axis but one, shaped so that they broadcast.
IndexArrays with_positions(const DNDarray& x, const DNDarray& index, int axis) {
  IndexArrays out;
  for (int a = 0; a < x.ndim(); ++a) {
    out.axes.push_back(a);
    if (a == axis) {
      out.arrays.push_back(index);
      continue;
    }
    Shape shape(at(x.ndim()), 1);
    shape[at(a)] = x.shape()[at(a)];
    const at::Tensor numbers = at::_ops::arange::call(at::Scalar(shape[at(a)]), at::kLong, std::nullopt,
                                                      index.local().device(), std::nullopt);
    out.arrays.emplace_back(numbers.view(sizes(shape)), share(Layout::replicated(shape, x.comm().size())),
                            x.comm_ptr());
  }
  return out;
}

DNDarray nonnegative(const DNDarray& x, const DNDarray& index, int axis) {
  return checked_indices(x.shape(), {{axis}, {index}}).arrays[0];
}

/// `index` of the result's shape and layout where the indexed axis is whole on every rank: no request is needed.
DNDarray take_beside(const DNDarray& x, const DNDarray& index, int axis, const Shape& shape) {
  Shape wide = shape;
  wide[at(axis)] = x.shape()[at(axis)];
  const DNDarray from = broadcast_to(x, wide);
  DNDarray where = broadcast_to(nonnegative(x, index, axis), shape);
  if (from.is_distributed())
    where = redistribute(where, share(from.layout().with_shape(shape, from.split())));
  at::Tensor source = from.local();
  if (!from.layout().is_split() && where.is_distributed())
    source = where.split() == axis
                 ? enter_partial(source, x.comm_ptr())
                 : redistribute(from, share(where.layout().with_shape(wide, where.split()))).local();
  const at::Tensor taken = source.gather(axis, where.local());
  if (from.layout().is_split())
    return {taken, share(from.layout().with_shape(shape, from.split())), x.comm_ptr()};
  return where.with_local(taken);
}

}  // namespace

DNDarray take_along(const DNDarray& x, const DNDarray& index, int axis) {
  axis = normalize_axis(axis, x.ndim(), "take_along_axis");
  const Shape shape = common_shape(x, index, axis, "take_along_axis");
  if (x.is_distributed() && x.split() == axis) return gather_at(x, with_positions(x, index, axis));
  if (x.layout().is_split() && x.split() == axis) {  // one rank: the split's extents are the index's
    const DNDarray whole(x.local(), share(Layout::replicated(x.shape(), 1)), x.comm_ptr());
    const DNDarray taken = take_along(whole, index, axis);
    return {taken.local(), share(Layout::balanced(taken.shape(), axis, 1)), x.comm_ptr()};
  }
  return take_beside(x, index, axis, shape);
}

DNDarray put_along(const DNDarray& x, const DNDarray& index, const DNDarray& value, int axis, Write write) {
  axis = normalize_axis(axis, x.ndim(), "put_along_axis");
  const Shape shape = common_shape(x, index, axis, "put_along_axis");
  for (int a = 0; a < x.ndim(); ++a) {
    EH_CHECK(a == axis || shape[at(a)] == x.shape()[at(a)], ValueError, "put_along_axis: an index of shape ",
             to_string(index.shape()), " does not broadcast to the array's shape ", to_string(x.shape()),
             " beside axis ", axis);
  }
  const DNDarray given = broadcast_to(value, shape);
  const bool beside = x.is_distributed() ? x.split() != axis : !index.is_distributed();
  if (!beside) {
    put_at(x, with_positions(x, index, axis), given, write);
    return x;
  }
  const LayoutPtr layout = share(x.is_distributed() ? x.layout().with_shape(shape, x.split())
                                                    : Layout::replicated(shape, x.comm().size()));
  const at::Tensor where = redistribute(broadcast_to(nonnegative(x, index, axis), shape), layout).local();
  const at::Tensor values = redistribute(given, layout).local().to(x.local().scalar_type());
  at::Tensor target = x.local();
  if (write == Write::Add)
    target.scatter_add_(axis, where, values);
  else
    target.scatter_(axis, where, values);
  return x;
}

}  // namespace eh
