// SPDX-License-Identifier: BSD-3-Clause
#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

/// Axis of the result (ndim axes) that axis `axis` of an operand with `own` axes lines up with.
int result_axis(int axis, int own, int ndim) { return axis + ndim - own; }

/// True if this operand's split is one of the result's axes at full extent.
bool may_lead(const DNDarray& x, const Shape& shape) {
  if (!x.layout().is_split()) return false;
  const int axis = result_axis(x.split(), x.ndim(), static_cast<int>(shape.size()));
  return x.shape()[static_cast<std::size_t>(x.split())] == shape[static_cast<std::size_t>(axis)];
}

/// An operand is split with extent 1 only where nothing else can lead; its layout then has no meaning beyond it.
LayoutPtr result_layout(const std::vector<const DNDarray*>& operands, const Shape& shape, int nranks) {
  const int ndim = static_cast<int>(shape.size());
  const DNDarray* leader = nullptr;
  for (const DNDarray* x : operands) {
    if (!may_lead(*x, shape)) continue;
    if (leader == nullptr) leader = x;
  }
  if (leader != nullptr && leader->shape() == shape) return leader->layout_ptr();
  if (leader != nullptr) {
    return share(leader->layout().with_shape(shape, result_axis(leader->split(), leader->ndim(), ndim)));
  }
  for (const DNDarray* x : operands) {  // split along an axis that the others stretch
    if (x->layout().is_split())
      return share(Layout::balanced(shape, result_axis(x->split(), x->ndim(), ndim), nranks));
  }
  return share(Layout::replicated(shape, nranks));
}

/// The block of `x` that broadcasts against a block of the result.
at::Tensor local_for(const DNDarray& x, const Layout& result) {
  const int axis = result.split() - (result.ndim() - x.ndim());
  const bool spans = axis >= 0 && x.shape()[static_cast<std::size_t>(axis)] ==
                                      result.gshape()[static_cast<std::size_t>(result.split())];
  if (spans) return redistribute(x, share(result.with_shape(x.shape(), axis))).local();
  return enter_partial(resplit(x, kNoSplit).local(), x.comm_ptr());
}

void check_same_comm(const std::vector<const DNDarray*>& operands, const char* fn) {
  for (const DNDarray* x : operands) {
    EH_CHECK(x->comm_ptr() == operands[0]->comm_ptr(), NotSupported, fn,
             ": operands live on different communicators; bring them to one with ht.array(x, comm=...)");
  }
}

}  // namespace

Aligned align(const std::vector<const DNDarray*>& operands, const char* fn) {
  check_same_comm(operands, fn);
  Shape shape = operands[0]->shape();
  for (std::size_t i = 1; i < operands.size(); ++i) shape = broadcast_shapes(shape, operands[i]->shape(), fn);
  const CommPtr& comm = operands[0]->comm_ptr();
  Aligned out{result_layout(operands, shape, comm->size()), {}, comm};
  for (const DNDarray* x : operands) {
    const bool as_is = comm->size() == 1 || !out.layout->is_split() || x->layout_ptr() == out.layout;
    out.locals.push_back(as_is ? x->local() : local_for(*x, *out.layout));
  }
  return out;
}

}  // namespace eh
