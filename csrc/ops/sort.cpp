// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <numeric>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/sorting.hpp"
#include "ops/manipulation.hpp"
#include "ops/sorting.hpp"

namespace eh {
namespace {

/// Values along an order of the own block, in the graph of x.
at::Tensor picked(const at::Tensor& x, const at::Tensor& order, int axis) { return x.gather(axis, order); }

/// Lines spread over ranks: each rank takes some of them whole.
Sorted sort_pencils(const DNDarray& x, int axis, bool descending, bool values, bool indices) {
  const DNDarray rows = detail::as_rows(x, axis);
  Sorted sorted = detail::sort_local(resplit(rows, 1), 0, descending, values, indices);
  const auto back = [&](std::optional<DNDarray>& y) {
    if (y) y = detail::from_rows(redistribute(*y, rows.layout_ptr()), x, axis);
  };
  back(sorted.values);
  back(sorted.indices);
  return sorted;
}

/// Few lines spread over ranks, one after another.
Sorted sort_few(const DNDarray& x, int axis, bool descending, bool values, bool indices) {
  const DNDarray rows = detail::as_rows(x, axis);
  const at::Tensor local = rows.local().detach().cpu();
  at::Tensor sorted = local.new_empty(local.sizes());
  at::Tensor order = indices ? local.new_empty(local.sizes(), at::kLong) : at::Tensor();
  for (std::int64_t i = 0; i < local.size(1); ++i) {
    const detail::SortedLine line =
        detail::sort_line(local.select(1, i), rows.layout().counts(), x.comm_ptr(), descending, indices);
    sorted.select(1, i).copy_(line.values);
    if (indices) order.select(1, i).copy_(line.indices);
  }
  const auto back = [&](const at::Tensor& y) {
    return detail::from_rows(rows.with_local(y.to(x.local().device())), x, axis);
  };
  Sorted out;
  if (values) out.values = back(sorted);
  if (indices) out.indices = back(order);
  return out;
}

/// Counts of all ranks' messages to all ranks, from where each rank's rows go in the end. Collective.
std::vector<Move> permutation_moves(const Counts& counts, const Counts& mine, const Communicator& comm) {
  const auto nranks = counts.size();
  const auto n = static_cast<std::int64_t>(nranks);
  Counts all(nranks * nranks);
  comm.allgather({mine.data(), n, DType::Int64}, {all.data(), n * n, DType::Int64});
  std::vector<std::int64_t> target = offsets_of(counts);
  std::vector<std::int64_t> source = offsets_of(counts);
  std::vector<Move> moves;
  for (std::size_t s = 0; s < nranks; ++s) {
    for (std::size_t d = 0; d < nranks; ++d) {
      const std::int64_t length = all[s * nranks + d];
      if (length > 0) moves.push_back({source[s], target[d], length});
      source[s] += length;
      target[d] += length;
    }
  }
  return moves;
}

/// x's line in its order, in the graph of x: what a rank owns is put into order, sent, and put into order again.
at::Tensor sorted_in_graph(const at::Tensor& line, const Counts& counts, const Counts& sent,
                           const CommPtr& comm, bool descending) {
  const LayoutPtr alone = share(Layout::replicated({line.numel()}, 1));
  const auto order = [&](const at::Tensor& t) {
    return detail::sort_local({t.detach(), alone, comm}, 0, descending, false, true).indices->local();
  };
  const std::vector<Move> moves = permutation_moves(counts, sent, *comm);
  const at::Tensor packed = line.index_select(0, order(line));
  const at::Tensor arrived = move_rows(packed, 0, counts, counts, moves, comm);
  return arrived.index_select(0, order(arrived));
}

/// How many of this rank's elements go to each rank, from the sorted order.
Counts sent_from(const at::Tensor& indices, const Counts& counts, const Communicator& comm) {
  const std::vector<std::int64_t> offsets = offsets_of(counts);
  Counts received(counts.size(), 0);
  const auto* index = indices.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < indices.numel(); ++i)
    ++received[static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), index[i]) -
                                        offsets.begin() - 1)];
  Counts sent(counts.size());
  const auto n = static_cast<std::int64_t>(counts.size());
  comm.alltoall({received.data(), n, DType::Int64}, {sent.data(), n, DType::Int64});
  return sent;
}

/// One line, in the graph of x.
Sorted sort_one_in_graph(const DNDarray& x, int axis, bool descending) {
  const DNDarray rows = detail::as_rows(x, axis);
  const Counts& counts = rows.layout().counts();
  const at::Tensor line = rows.local().select(1, 0);
  const at::Tensor order =
      detail::sort_line(line.detach().cpu(), counts, x.comm_ptr(), descending, true).indices;
  const at::Tensor values =
      sorted_in_graph(line, counts, sent_from(order, counts, x.comm()), x.comm_ptr(), descending);
  const at::Tensor index = order.unsqueeze(1).to(x.local().device());
  return {detail::from_rows(rows.with_local(values.unsqueeze(1)), x, axis),
          detail::from_rows(rows.with_local(index), x, axis)};
}

Sorted sort_along(const DNDarray& x, int axis, bool descending, bool values, bool indices) {
  if (!detail::crosses_ranks(x, axis)) return detail::sort_local(x, axis, descending, values, indices);
  std::int64_t lines = 1;
  for (int i = 0; i < x.ndim(); ++i) lines *= i == axis ? 1 : x.shape()[at(i)];
  if (lines == 0) return detail::sort_local(x, axis, descending, values, indices);
  const bool recorded = values && needs_grad(x.local());
  if (recorded && lines == 1) return sort_one_in_graph(x, axis, descending);
  if (recorded || lines >= 2 * x.comm().size()) return sort_pencils(x, axis, descending, values, indices);
  return sort_few(x, axis, descending, values, indices);
}

}  // namespace

namespace detail {

at::Tensor to_lines(const at::Tensor& local, int axis) {
  const at::Tensor last = local.detach().movedim(axis, -1).resolve_conj().resolve_neg().cpu().contiguous();
  const std::int64_t length = last.size(-1);
  return last.view({length == 0 ? 0 : last.numel() / length, length});
}

at::Tensor from_lines(const at::Tensor& lines, const at::Tensor& like, int axis) {
  Shape shape = shape_of(like);
  shape.erase(shape.begin() + axis);
  shape.push_back(lines.size(1));
  return lines.reshape(sizes(shape)).movedim(-1, axis).contiguous().to(like.device());
}

bool crosses_ranks(const DNDarray& x, int axis) { return axis == x.split() && x.is_distributed(); }

DNDarray as_rows(const DNDarray& x, int axis) {
  const std::int64_t extent = x.shape()[at(axis)];
  const at::Tensor first = x.local().movedim(axis, 0);
  std::int64_t width = 1;
  for (int i = 0; i < x.ndim(); ++i) width *= i == axis ? 1 : x.shape()[at(i)];
  Layout layout = Layout::with_counts({extent, width}, 0, x.layout().counts());
  return {first.reshape({first.size(0), width}), share(std::move(layout)), x.comm_ptr()};
}

DNDarray from_rows(const DNDarray& rows, const DNDarray& x, int axis) {
  Shape shape = x.shape();
  shape[at(axis)] = rows.shape()[0];
  Layout layout = rows.layout().with_shape(shape, axis);
  Shape block = layout.lshape(x.comm().rank());
  block.erase(block.begin() + axis);
  block.insert(block.begin(), rows.local().size(0));
  at::Tensor local = rows.local().reshape(sizes(block)).movedim(0, axis).contiguous();
  return {std::move(local), share(std::move(layout)), x.comm_ptr()};
}

Sorted sort_local(const DNDarray& x, int axis, bool descending, bool values, bool indices) {
  const at::Tensor& local = x.local();
  const DType dtype = dtype_of(local.scalar_type());
  const bool recorded = values && needs_grad(local);
  at::Tensor lines = to_lines(local, axis);
  const bool own = lines.const_data_ptr() != local.const_data_ptr();
  Sorted out;
  if (!indices && !recorded) {
    at::Tensor sorted = own ? lines : lines.new_empty(lines.sizes());
    kernels::sort_lines(dtype, lines.const_data_ptr(), sorted.mutable_data_ptr(), lines.size(0),
                        lines.size(1), descending);
    out.values = x.with_local(from_lines(sorted, local, axis));
    return out;
  }
  const at::Tensor order = lines.new_empty(lines.sizes(), at::kLong);
  const at::Tensor sorted = values && !recorded ? lines.new_empty(lines.sizes()) : at::Tensor();
  kernels::argsort_lines(dtype, lines.const_data_ptr(),
                         sorted.defined() ? sorted.mutable_data_ptr() : nullptr,
                         order.mutable_data_ptr<std::int64_t>(), lines.size(0), lines.size(1), descending);
  const at::Tensor index = from_lines(order, local, axis);
  if (values)
    out.values = x.with_local(recorded ? picked(local, index, axis) : from_lines(sorted, local, axis));
  if (indices) out.indices = x.with_local(index);
  return out;
}

}  // namespace detail

Sorted sort(const DNDarray& x, std::optional<int> axis, bool descending, bool values, bool indices) {
  const char* fn = values ? "sort" : "argsort";
  if (axis && x.ndim() > 0)
    return sort_along(x, normalize_axis(*axis, x.ndim(), fn), descending, values, indices);
  EH_CHECK(!axis || *axis == -1 || *axis == 0, ValueError, fn, ": axis ", *axis,
           " is out of bounds for 0-dimensional array");
  const DNDarray flat = reshape(x, {x.layout().size()}, x.layout().is_split() ? 0 : kNoSplit);
  Sorted out = sort_along(flat, 0, descending, values, indices);
  if (!axis) return out;  // 0-d stays 0-d
  if (out.values) out.values = reshape(*out.values, {}, kNoSplit);
  if (out.indices) out.indices = reshape(*out.indices, {}, kNoSplit);
  return out;
}

}  // namespace eh
