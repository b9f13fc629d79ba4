// SPDX-License-Identifier: BSD-3-Clause
#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/indexing.hpp"
#include "ops/manipulation.hpp"
#include "ops/masks.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

/// The axes under a mask and the array around them.
struct Cover {
  int axis;
  int taken;

  bool holds(int split) const { return split >= axis && split < axis + taken; }
  /// A split beside the mask, after its axes became one.
  int moved(int split) const { return split < axis ? split : split - taken + 1; }
  /// The shape with the axes under the mask as one of `extent` entries.
  Shape merged(const Shape& shape, std::int64_t extent) const {
    Shape out(shape.begin(), shape.begin() + axis);
    out.push_back(extent);
    out.insert(out.end(), shape.begin() + axis + taken, shape.end());
    return out;
  }
};

/// Layout of what n elements under a mask become; here `counts` of them per rank if the split is under it.
Layout masked_layout(const DNDarray& x, const Cover& cover, std::int64_t n, std::int64_t own) {
  if (!cover.holds(x.split()))
    return x.layout().with_shape(cover.merged(x.shape(), n), cover.moved(x.split()));
  Rows counts = allgather_int(own, x.comm());
  Shape shape = cover.merged(x.shape(), offsets_of(counts).back());
  return Layout::with_counts(std::move(shape), cover.axis, std::move(counts));
}

/// Array and mask with the axes under the mask as one, split (if there) along it: rank order is C order.
struct Flat {
  DNDarray x;
  DNDarray mask;
};

DNDarray flat_mask(const DNDarray& mask) { return resplit(reshape(mask, {mask.layout().size()}, 0), 0); }

Flat flatten_under(const DNDarray& x, const DNDarray& mask, const Cover& cover) {
  const Shape shape = cover.merged(x.shape(), mask.layout().size());
  return {resplit(reshape(x, shape, cover.axis), cover.axis), flat_mask(mask)};
}

/// The split, if it is under the mask, brought to where rank order is C order.
Flat split_first(const DNDarray& x, const DNDarray& mask, const Cover& cover) {
  if (!x.layout().is_split() && mask.layout().is_split()) {  // the result takes the mask's split
    const LayoutPtr as_mask = share(mask.layout().with_shape(x.shape(), cover.axis + mask.split()));
    return split_first(redistribute(x, as_mask), mask, cover);
  }
  if (!cover.holds(x.split())) return {x, resplit(mask, kNoSplit)};
  if (x.split() != cover.axis && x.comm().size() > 1) return flatten_under(x, mask, cover);
  return {x, redistribute(mask, share(x.layout().with_shape(mask.shape(), x.split() - cover.axis)))};
}

/// `value` in the blocks of x: for values whose C order is not the order of x's blocks.
at::Tensor values_in_place(const DNDarray& x, const DNDarray& mask, const Cover& cover,
                           const DNDarray& value) {
  const int me = x.comm().rank();
  const at::Tensor where = positions_here(flat_mask(mask).local());
  const Rows counts = allgather_int(where.numel(), x.comm());
  const Layout region =
      Layout::with_counts(cover.merged(x.shape(), offsets_of(counts).back()), cover.axis, counts);
  const Layout flat =
      Layout::balanced(cover.merged(x.shape(), mask.layout().size()), cover.axis, x.comm().size());
  const at::Tensor given = spread(value, region).expand(sizes(region.lshape(me)));
  const at::Tensor block = given.new_zeros(sizes(flat.lshape(me))).index_copy(cover.axis, where, given);
  const DNDarray placed = reshape(DNDarray(block, share(flat), x.comm_ptr()), x.shape(), x.split());
  return redistribute(placed, x.layout_ptr()).local();
}

/// What this rank writes under its part of the mask.
at::Tensor values_under(const DNDarray& x, const DNDarray& mask, const at::Tensor& own, const Cover& cover,
                        const DNDarray& value, std::int64_t n) {
  const bool ordered = value.ndim() > 0 && n > 1 && value.shape()[at(cover.axis)] == n;
  if (ordered && cover.holds(x.split()) && x.split() != cover.axis && x.is_distributed()) {
    const at::Tensor placed = values_in_place(x, mask, cover, value);
    return placed.index(advanced_index(own.nonzero().unbind(1), cover.axis));
  }
  return spread(value, masked_layout(x, cover, n, count_here(own)));
}

}  // namespace

DNDarray select_mask(const DNDarray& x, const DNDarray& mask, int axis) {
  if (mask.ndim() == 0) return select_mask(expand_dims(x, {axis}), expand_dims(mask, {0}), axis);
  const Flat flat = split_first(x, mask, {axis, mask.ndim()});
  const Cover cover{axis, flat.mask.ndim()};
  const at::Tensor block =
      flat.x.local().reshape(sizes(cover.merged(shape_of(flat.x.local()), flat.mask.local().numel())));
  at::Tensor chosen = select_here(block, flat.mask.local(), axis);
  Layout layout = masked_layout(flat.x, cover, chosen.size(axis), chosen.size(axis));
  return {std::move(chosen), share(std::move(layout)), x.comm_ptr()};
}

std::int64_t count_true(const DNDarray& mask) {
  const std::int64_t here = count_here(mask.local());
  return mask.is_distributed() ? offsets_of(allgather_int(here, mask.comm())).back() : here;
}

void put_mask(const DNDarray& x, const DNDarray& mask, int axis, const DNDarray& value, std::int64_t n) {
  if (mask.ndim() == 0) return put_mask(expand_dims(x, {axis}), expand_dims(mask, {0}), axis, value, n);
  const Cover cover{axis, mask.ndim()};
  const LayoutPtr mine = share(cover.holds(x.split()) ? x.layout().with_shape(mask.shape(), x.split() - axis)
                                                      : Layout::replicated(mask.shape(), x.comm().size()));
  const at::Tensor own = redistribute(mask, mine).local();
  write_here(x.local(), own, axis, values_under(x, mask, own, cover, value, n));
}

std::vector<DNDarray> nonzero(const DNDarray& x) {
  EH_CHECK(x.ndim() > 0, ValueError, "nonzero: a 0-d array has no axes to index; reshape it to (1,) first");
  const DNDarray flat =
      reshape(x.with_local(x.local().ne(0)), {x.layout().size()}, x.layout().is_split() ? 0 : kNoSplit);
  const std::int64_t start = flat.layout().is_split() ? flat.layout().offset(x.comm().rank()) : 0;
  std::vector<at::Tensor> found = coordinates_here(flat.local(), start, x.shape());
  Layout layout = Layout::replicated({found[0].numel()}, x.comm().size());
  if (x.layout().is_split()) {
    Rows counts = allgather_int(found[0].numel(), x.comm());
    Shape shape{offsets_of(counts).back()};
    layout = Layout::with_counts(std::move(shape), 0, std::move(counts));
  }
  const LayoutPtr shared = share(std::move(layout));
  std::vector<DNDarray> out;
  for (at::Tensor& local : found) out.emplace_back(std::move(local), shared, x.comm_ptr());
  return out;
}

}  // namespace eh
