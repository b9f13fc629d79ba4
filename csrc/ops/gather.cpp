// SPDX-License-Identifier: BSD-3-Clause
#include "ops/gather.hpp"

#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>

#include "array/autograd.hpp"
#include "array/exchange_rows.hpp"
#include "base/error.hpp"
#include "kernels/routing.hpp"
#include "ops/manipulation.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// A view with these axes in front.
at::Tensor in_front(const at::Tensor& block, const std::vector<std::int64_t>& axes) {
  std::vector<std::int64_t> places(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) places[i] = static_cast<std::int64_t>(i);
  return block.movedim(axes, places);
}

/// The rows at flat positions of some axes: one axis of positions, then the other axes.
at::Tensor pick(const at::Tensor& block, const std::vector<std::int64_t>& axes, const at::Tensor& position) {
  const at::Tensor front = in_front(block, axes);
  if (axes.size() == 1) return front.index_select(0, position);
  return front.index(advanced_index(unravel(position, block, axes), 0));
}

/// Local: torch puts the axes of the index where NumPy does.
at::Tensor pick_here(const at::Tensor& block, const std::vector<int>& axes,
                     const std::vector<at::Tensor>& arrays) {
  if (axes.size() == 1) {
    const at::Tensor rows = block.index_select(axes[0], arrays[0].reshape({-1}));
    return arrays[0].dim() == 1 ? rows : rows.unflatten(axes[0], arrays[0].sizes());
  }
  c10::List<std::optional<at::Tensor>> index;
  std::size_t next = 0;
  for (int axis = 0; axis <= axes.back(); ++axis) {
    if (axes[next] == axis)
      index.push_back(arrays[next++]);
    else
      index.push_back(std::nullopt);
  }
  return block.index(index);
}

at::Tensor cat(const std::vector<at::Tensor>& blocks, int axis) {
  return blocks.size() == 1 ? blocks[0] : at::_ops::cat::call(at::TensorList(blocks), axis);
}

/// A split index beside x's split: every rank needs all of it, one rank's part at a time.
at::Tensor gather_in_turns(const DNDarray& x, const IndexArrays& indices, const Aligned& aligned) {
  std::vector<at::Tensor> blocks;
  for (int r = 0; r < x.comm().size(); ++r) {
    if (aligned.layout->count(r) == 0 && (r > 0 || aligned.layout->size() > 0)) continue;
    blocks.push_back(gather_at(x, turn_of(indices, aligned, r)).local());
  }
  return cat(blocks, index_place(indices.axes) + aligned.layout->split());
}

/// Asked for, sent, and put in order: one axis of items, then the axes of x that are not indexed.
at::Tensor gather_routed(const DNDarray& x, const IndexArrays& indices, const Aligned& aligned) {
  const IndexRoute route = route_index(x, indices, aligned);
  const at::Tensor rows = pick(x.local(), split_first(indices.axes, x.split()), route.asked);
  const at::Tensor got = exchange_rows(rows, route.asked_counts, route.wanted_counts, x.comm_ptr());
  const at::Tensor items = route.place.defined() ? got.index_select(0, route.place) : got;
  const Shape block = aligned.layout->lshape(x.comm().rank());
  const at::Tensor shaped = block.size() == 1 ? items : items.unflatten(0, sizes(block));
  const int place = index_place(indices.axes);
  if (place == 0) return shaped;
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  for (std::size_t i = 0; i < block.size(); ++i) {
    from.push_back(static_cast<std::int64_t>(i));
    to.push_back(place + static_cast<std::int64_t>(i));
  }
  return shaped.movedim(from, to).contiguous();
}

/// The index as 1-D arrays of all its items in C order, split 0 if any array is split.
IndexArrays flattened(const IndexArrays& indices) {
  const std::vector<DNDarray>& arrays = indices.arrays;
  if (arrays.size() == 1 && arrays[0].ndim() == 1) return indices;
  std::vector<const DNDarray*> operands;
  for (const DNDarray& array : arrays) operands.push_back(&array);
  const Aligned aligned = align(operands, "index");
  const Shape block = aligned.layout->lshape(aligned.comm->rank());
  const int split = aligned.layout->is_split() ? 0 : kNoSplit;
  IndexArrays out{indices.axes, {}};
  for (const at::Tensor& local : aligned.locals) {
    const DNDarray whole(local.expand(sizes(block)), aligned.layout, aligned.comm);
    out.arrays.push_back(reshape(whole, {aligned.layout->size()}, split));
  }
  return out;
}

/// The value with the axes of the index as one, of its full extent or of 1.
DNDarray fold(const DNDarray& value, const Shape& index, int place) {
  if (value.ndim() == 0 || index.size() == 1) return value;
  const auto first = value.shape().begin() + place;
  const auto last = first + static_cast<std::ptrdiff_t>(index.size());
  const bool one = std::all_of(first, last, [](std::int64_t n) { return n == 1; });
  Shape full = value.shape();
  if (!one) std::copy(index.begin(), index.end(), full.begin() + place);
  Shape flat(full.begin(), full.begin() + place);
  flat.push_back(one ? 1 : numel(index));
  flat.insert(flat.end(), full.begin() + place + static_cast<std::ptrdiff_t>(index.size()), full.end());
  const int behind = place + static_cast<int>(index.size());
  const int split = value.split() < behind ? std::min(value.split(), place)
                                           : value.split() - static_cast<int>(index.size()) + 1;
  return reshape(broadcast_to(value, full), flat, split);
}

/// What is written into one block: rows at flat positions of some axes, or one row for all of them.
struct RowRange {
  at::Tensor position;
  at::Tensor values;  ///< 0-d, or (n or 1, the other axes)
};

void write_rows(const at::Tensor& block, const std::vector<std::int64_t>& axes, RowRange rows, Write write) {
  std::int64_t space = 1;
  for (std::int64_t axis : axes) space *= block.size(axis);
  if (write == Write::Last) {
    const at::Tensor position = rows.position.to(at::kCPU);
    const auto kept = kernels::last_of_each(position.const_data_ptr<std::int64_t>(), position.numel(), space);
    if (kept) {
      const at::Tensor chosen = index_tensor(*kept, block);
      if (rows.values.dim() > 0 && rows.values.size(0) == rows.position.numel())
        rows.values = rows.values.index_select(0, chosen);
      rows.position = rows.position.index_select(0, chosen);
    }
  }
  const auto where = advanced_index(unravel(rows.position, block, axes), 0);
  in_front(block, axes).index_put_(where, rows.values.to(block.scalar_type()), write == Write::Add);
}

at::Tensor value_rows(const at::Tensor& value, int place) {
  return value.dim() == 0 ? value : value.movedim(place, 0);
}

/// One row (or number) for every item.
bool is_one_for_all(const DNDarray& value, int place, std::int64_t items) {
  return value.ndim() == 0 || (value.shape()[at(place)] == 1 && items != 1);
}

/// The items and the values of this rank sent to the owners.
RowRange send_rows(const DNDarray& x, const IndexArrays& indices, const Aligned& aligned,
                   const DNDarray& value) {
  const IndexRoute route = route_index(x, indices, aligned);
  const int place = index_place(indices.axes);
  if (is_one_for_all(value, place, aligned.layout->size()))
    return {route.asked, value_rows(enter_partial(resplit(value, kNoSplit).local(), x.comm_ptr()), place)};
  const LayoutPtr as_index = share(aligned.layout->with_shape(value.shape(), place));
  at::Tensor rows = value_rows(redistribute(value, as_index).local(), place).to(x.local().scalar_type());
  if (route.place.defined()) rows = rows.index_select(0, route.place.argsort());
  return {route.asked, exchange_rows(rows, route.wanted_counts, route.asked_counts, x.comm_ptr())};
}

DNDarray turn_of_value(const DNDarray& value, int place, const Layout& index, int rank) {
  if (is_one_for_all(value, place, index.size())) return value;
  std::vector<AxisSlice> slices;
  for (std::int64_t n : value.shape()) slices.push_back({0, 1, n});
  slices[at(place)] = {index.offset(rank), 1, index.count(rank)};
  return slice_view(value, slices);
}

void put_flat(const DNDarray& x, const IndexArrays& indices, const DNDarray& value, Write write) {
  const Aligned aligned = align_indices(x, indices);
  const int place = index_place(indices.axes);
  const std::vector<std::int64_t> axes = split_first(indices.axes, x.split());
  if (indexed_on_split(x, indices.axes)) {
    write_rows(x.local(), axes, send_rows(x, indices, aligned, value), write);
  } else if (aligned.layout->is_split() && x.comm().size() > 1) {
    for (int r = 0; r < x.comm().size(); ++r) {
      const DNDarray part = turn_of_value(value, place, *aligned.layout, r);
      if (aligned.layout->count(r) > 0) put_flat(x, turn_of(indices, aligned, r), part, write);
    }
  } else {
    const Layout region = selected_layout(x, indices.axes, *aligned.layout);
    std::vector<at::Tensor> arrays;
    Shape extents;
    for (const std::int64_t axis : axes) {
      const auto which = std::find(indices.axes.begin(), indices.axes.end(), axis) - indices.axes.begin();
      arrays.push_back(aligned.locals[static_cast<std::size_t>(which)]);
      extents.push_back(x.local().size(axis));
    }
    write_rows(x.local(), axes, {flat_positions(arrays, extents), value_rows(spread(value, region), place)},
               write);
  }
}

}  // namespace

DNDarray gather_at(const DNDarray& x, const IndexArrays& asked) {
  const IndexArrays indices = checked_indices(x.shape(), asked);
  const Aligned aligned = align_indices(x, indices);
  const LayoutPtr layout = share(selected_layout(x, indices.axes, *aligned.layout));
  const bool many = x.comm().size() > 1 && aligned.layout->is_split();
  at::Tensor local;
  if (indexed_on_split(x, indices.axes))
    local = gather_routed(x, indices, aligned);
  else if (many && x.layout().is_split())
    local = gather_in_turns(x, indices, aligned);
  else
    local =
        pick_here(many ? enter_partial(x.local(), x.comm_ptr()) : x.local(), indices.axes, aligned.locals);
  return {std::move(local), layout, x.comm_ptr()};
}

void put_at(const DNDarray& x, const IndexArrays& asked, const DNDarray& value, Write write) {
  const IndexArrays indices = checked_indices(x.shape(), asked);
  put_flat(x, flattened(indices), fold(value, index_shape(indices), index_place(indices.axes)), write);
}

}  // namespace eh
