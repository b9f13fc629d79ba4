// SPDX-License-Identifier: BSD-3-Clause
#include "ops/growing.hpp"

#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/constant_pad_nd_ops.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/repeat.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

Shape with_extent(Shape shape, int axis, std::int64_t extent) {
  shape[at(axis)] = extent;
  return shape;
}

at::Tensor joined(const std::vector<at::Tensor>& blocks, int axis) {
  return at::_ops::cat::call(at::TensorList(blocks), axis);
}

/// Moves within one block.
at::Tensor move_here(const at::Tensor& local, int axis, std::int64_t extent, std::vector<Move> moves) {
  std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.target < b.target; });
  std::vector<at::Tensor> pieces;
  std::int64_t filled = 0;
  const auto fill_to = [&](std::int64_t target) {
    if (target > filled)
      pieces.push_back(local.new_zeros(sizes(with_extent(shape_of(local), axis, target - filled))));
  };
  for (const Move& move : moves) {
    fill_to(move.target);
    pieces.push_back(local.narrow(axis, move.source, move.length));
    filled = move.target + move.length;
  }
  fill_to(extent);
  if (pieces.empty()) return local.new_zeros(sizes(with_extent(shape_of(local), axis, 0)));
  return joined(pieces, axis);
}

/// `rows` with all its rows on one rank, if x is split along their axis; else laid out like x.
at::Tensor rows_for(const DNDarray& x, const DNDarray& rows, int axis, int rank) {
  if (axis != x.split()) {
    const Layout as_x = x.layout().is_split() ? x.layout().with_shape(rows.shape(), x.split())
                                              : Layout::replicated(rows.shape(), x.comm().size());
    return redistribute(rows, share(as_x)).local();
  }
  std::vector<std::int64_t> counts(static_cast<std::size_t>(x.comm().size()), 0);
  counts[static_cast<std::size_t>(rank)] = rows.shape()[at(axis)];
  return redistribute(rows, share(Layout::with_counts(rows.shape(), axis, std::move(counts)))).local();
}

/// The layout with `before` more rows on the first rank and `after` more on the last.
LayoutPtr grown(const DNDarray& x, const Shape& shape, std::int64_t before, std::int64_t after) {
  if (!x.layout().is_split()) return share(Layout::replicated(shape, x.comm().size()));
  std::vector<std::int64_t> counts = x.layout().counts();
  counts.front() += before;
  counts.back() += after;
  return share(Layout::with_counts(shape, x.split(), std::move(counts)));
}

/// Every entry of an axis of a block `times` times in a row, in new memory.
at::Tensor repeat_here(const at::Tensor& block, std::int64_t times, int axis) {
  const Shape shape = with_extent(shape_of(block), axis, block.size(axis) * times);
  if (block.is_cpu() && block.is_contiguous() && !needs_grad(block) && !block.is_conj() && !block.is_neg()) {
    at::Tensor out = block.new_empty(sizes(shape));
    const std::int64_t rows = numel({shape.begin(), shape.begin() + axis}) * block.size(axis);
    if (out.numel() == 0) return out;
    const auto bytes = static_cast<std::size_t>(block.numel() / rows) * block.element_size();
    kernels::repeat(block.const_data_ptr(), rows, bytes, times, out.mutable_data_ptr());
    return out;
  }
  Shape wide = shape_of(block);
  wide.insert(wide.begin() + axis + 1, times);
  return block.unsqueeze(axis + 1).expand(sizes(wide)).clone(at::MemoryFormat::Contiguous).view(sizes(shape));
}

std::int64_t sum_of(const at::Tensor& counts) { return counts.sum().item<std::int64_t>(); }

}  // namespace

DNDarray move_to(const DNDarray& x, int axis, std::int64_t extent, const std::vector<Move>& moves) {
  axis = normalize_axis(axis, x.ndim(), "move_to");
  const Shape shape = with_extent(x.shape(), axis, extent);
  if (axis != x.split()) {
    const Layout layout = x.layout().is_split() ? x.layout().with_shape(shape, x.split())
                                                : Layout::replicated(shape, x.comm().size());
    return {move_here(x.local(), axis, extent, moves), share(layout), x.comm_ptr()};
  }
  const LayoutPtr layout = share(Layout::balanced(shape, axis, x.comm().size()));
  at::Tensor local = x.comm().size() == 1 ? move_here(x.local(), axis, extent, moves)
                                          : move_rows(x.local(), axis, x.layout().counts(), layout->counts(),
                                                      moves, x.comm_ptr());
  return {std::move(local), layout, x.comm_ptr()};
}

DNDarray attach(const DNDarray& before, const DNDarray& x, const DNDarray& after, int axis) {
  axis = normalize_axis(axis, x.ndim(), "attach");
  const at::ScalarType dtype = x.local().scalar_type();
  const std::int64_t n = before.shape()[at(axis)] + x.shape()[at(axis)] + after.shape()[at(axis)];
  const Shape shape = with_extent(x.shape(), axis, n);
  at::Tensor local = joined({rows_for(x, before, axis, 0).to(dtype), x.local(),
                             rows_for(x, after, axis, x.comm().size() - 1).to(dtype)},
                            axis);
  if (axis == x.split())
    return {std::move(local), grown(x, shape, before.shape()[at(axis)], after.shape()[at(axis)]),
            x.comm_ptr()};
  const LayoutPtr layout = share(x.layout().is_split() ? x.layout().with_shape(shape, x.split())
                                                       : Layout::replicated(shape, x.comm().size()));
  return {std::move(local), layout, x.comm_ptr()};
}

DNDarray pad_constant(const DNDarray& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths,
                      const at::Scalar& value) {
  Shape shape = x.shape();
  std::vector<std::int64_t> pads;  // torch's order: the last axis first
  for (int axis = x.ndim() - 1; axis >= 0; --axis) {
    const auto [before, after] = widths[at(axis)];
    shape[at(axis)] += before + after;
    const bool edges = axis == x.split();
    pads.push_back(edges && x.comm().rank() != 0 ? 0 : before);
    pads.push_back(edges && x.comm().rank() != x.comm().size() - 1 ? 0 : after);
  }
  const auto edge = x.layout().is_split() ? widths[at(x.split())] : std::pair<std::int64_t, std::int64_t>{};
  at::Tensor local = at::_ops::constant_pad_nd::call(x.local(), c10::fromIntArrayRefSlow(pads), value);
  return {std::move(local), grown(x, shape, edge.first, edge.second), x.comm_ptr()};
}

DNDarray repeat(const DNDarray& x, std::int64_t times, int axis) {
  axis = normalize_axis(axis, x.ndim(), "repeat");
  EH_CHECK(times >= 0, ValueError, "repeat: repeats must not be negative, is ", times);
  const Shape shape = with_extent(x.shape(), axis, x.shape()[at(axis)] * times);
  Layout layout = Layout::replicated(shape, x.comm().size());
  if (axis == x.split()) {
    std::vector<std::int64_t> counts;
    for (std::int64_t n : x.layout().counts()) counts.push_back(n * times);
    layout = Layout::with_counts(shape, axis, std::move(counts));
  } else if (x.layout().is_split()) {
    layout = x.layout().with_shape(shape, x.split());
  }
  return {repeat_here(x.local(), times, axis), share(std::move(layout)), x.comm_ptr()};
}

DNDarray repeat_each(const DNDarray& x, const DNDarray& times, int axis) {
  axis = normalize_axis(axis, x.ndim(), "repeat");
  const std::int64_t n = x.shape()[at(axis)];
  EH_CHECK(times.ndim() == 1 && times.shape()[0] == n, ValueError, "repeat: repeats has shape ",
           to_string(times.shape()), "; axis ", axis, " of the array has ", n, " entries, one number each");
  const bool along = axis == x.split();
  const Layout as_x = along ? x.layout().with_shape({n}, 0) : Layout::replicated({n}, x.comm().size());
  const at::Tensor own = redistribute(times, share(as_x)).local().to(at::kLong);
  const bool negative = own.numel() > 0 && own.min().item<std::int64_t>() < 0;
  const std::int64_t total = negative ? -1 : sum_of(own);
  const std::vector<std::int64_t> counts =
      along ? allgather_int(total, x.comm()) : std::vector<std::int64_t>{total};
  EH_CHECK(*std::min_element(counts.begin(), counts.end()) >= 0, ValueError,
           "repeat: repeats must not be negative");
  const Shape shape = with_extent(x.shape(), axis, offsets_of(counts).back());
  Layout layout = along                   ? Layout::with_counts(shape, axis, counts)
                  : x.layout().is_split() ? x.layout().with_shape(shape, x.split())
                                          : Layout::replicated(shape, x.comm().size());
  return {x.local().repeat_interleave(own, axis), share(std::move(layout)), x.comm_ptr()};
}

}  // namespace eh
