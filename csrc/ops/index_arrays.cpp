// SPDX-License-Identifier: BSD-3-Clause
#include "ops/index_arrays.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>

#include <algorithm>
#include <optional>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/routing.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// The entries as int64 on the CPU's or the GPU's side, none negative; the first one out of bounds, if any.
at::Tensor nonnegative(const at::Tensor& index, std::int64_t extent, std::optional<std::int64_t>& bad) {
  const at::Tensor wide = index.to(at::kLong).contiguous();
  if (wide.numel() == 0) return wide;
  std::int64_t low = 0;
  std::int64_t high = 0;
  if (wide.is_cpu()) {
    const auto* data = wide.const_data_ptr<std::int64_t>();
    const auto [least, most] = std::minmax_element(data, data + wide.numel());
    low = *least;
    high = *most;
  } else {
    low = wide.min().item<std::int64_t>();
    high = wide.max().item<std::int64_t>();
  }
  if (high >= extent || low < -extent) bad = high >= extent ? high : low;
  return low < 0 ? wide.add(wide.lt(0).to(at::kLong), extent) : wide;
}

[[noreturn]] void refuse(std::int64_t index, int axis, std::int64_t extent) {
  throw IndexError(message("index ", index, " is out of bounds for axis ", axis, " with size ", extent));
}

/// All ranks fail if one found an entry out of bounds in its part; they name the one of the first such rank.
void agree(const std::vector<std::optional<std::int64_t>>& bad, const IndexArrays& indices,
           const Shape& shape, const Communicator& comm) {
  const auto found = std::find_if(bad.begin(), bad.end(), [](const auto& b) { return b.has_value(); });
  std::int64_t which = found == bad.end() ? -1 : found - bad.begin();
  std::int64_t any = which;
  comm.allreduce({&which, 1, DType::Int64}, {&any, 1, DType::Int64}, ReduceOp::Max);
  if (any < 0) return;
  const std::vector<std::int64_t> where = allgather_int(which, comm);
  const std::vector<std::int64_t> value = allgather_int(which < 0 ? 0 : **found, comm);
  for (std::size_t r = 0; r < where.size(); ++r) {
    if (where[r] < 0) continue;
    const int axis = indices.axes[static_cast<std::size_t>(where[r])];
    refuse(value[r], axis, shape[at(axis)]);
  }
}

/// The axis of an index that every rank has, along which the result is split.
int longest(const Shape& shape) {
  return static_cast<int>(std::max_element(shape.begin(), shape.end()) - shape.begin());
}

/// The part of a tensor that broadcasts to a block of the index: narrowed along the split where it has its extent.
at::Tensor rank_part(const at::Tensor& whole, const Layout& index, int rank) {
  const auto axis = index.split() - (index.ndim() - whole.dim());
  if (axis < 0 || whole.size(axis) != index.gshape()[at(index.split())]) return whole;
  return whole.narrow(axis, index.offset(rank), index.count(rank));
}

at::Tensor flat_on_cpu(const at::Tensor& part, const Shape& block) {
  return part.expand(sizes(block)).reshape({-1}).to(at::kCPU).contiguous();
}

/// One rank's items of the index, and the memory they lie in.
struct OwnItems {
  at::Tensor rows;
  at::Tensor rest;
  std::int64_t width = 1;

  kernels::IndexedItems items() const {
    return {rows.const_data_ptr<std::int64_t>(),
            rest.defined() ? rest.const_data_ptr<std::int64_t>() : nullptr, width, rows.numel()};
  }
};

OwnItems own_items(const DNDarray& x, const std::vector<int>& axes, const std::vector<at::Tensor>& parts,
                   const Shape& block) {
  OwnItems out;
  std::vector<at::Tensor> others;
  Shape extents;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] == x.split()) {
      out.rows = flat_on_cpu(parts[i], block);
    } else {
      others.push_back(flat_on_cpu(parts[i], block));
      extents.push_back(x.shape()[at(axes[i])]);
    }
  }
  out.width = numel(extents);
  if (!others.empty()) out.rest = flat_positions(others, extents);
  return out;
}

at::Tensor long_tensor(std::int64_t n) {
  return at::_ops::empty_memory_format::call({n}, at::kLong, std::nullopt, std::nullopt, std::nullopt,
                                             std::nullopt);
}

/// Every rank has the index: what others ask of this one is read off it.
void find_asked(const DNDarray& x, const IndexArrays& indices, const Layout& index, IndexRoute& route) {
  const int me = x.comm().rank();
  std::vector<std::int64_t> asked;
  for (int r = 0; r < x.comm().size(); ++r) {
    std::vector<at::Tensor> parts;
    for (const DNDarray& array : indices.arrays) parts.push_back(rank_part(array.local(), index, r));
    const OwnItems items = own_items(x, indices.axes, parts, index.lshape(r));
    const std::size_t before = asked.size();
    kernels::pick_own(items.items(), x.layout().offset(me), x.layout().offset(me + 1), asked);
    route.asked_counts.push_back(static_cast<std::int64_t>(asked.size() - before));
  }
  route.asked = index_tensor(asked, x.local());
}

void send_requests(const DNDarray& x, const at::Tensor& positions, IndexRoute& route) {
  const auto nranks = static_cast<std::int64_t>(x.comm().size());
  route.asked_counts.resize(static_cast<std::size_t>(nranks));
  x.comm().alltoall({route.wanted_counts.data(), nranks, DType::Int64},
                    {route.asked_counts.data(), nranks, DType::Int64});
  const std::int64_t n = offsets_of(route.asked_counts).back();
  const at::Tensor asked = long_tensor(n);
  x.comm().alltoallv(const_buffer(positions), route.wanted_counts, buffer(asked), route.asked_counts);
  route.asked = asked.to(x.local().device());
}

/// Ranks read off what others need where that is less work than being told.
bool is_known_everywhere(const IndexArrays& indices, std::int64_t items) {
  std::int64_t entries = 4096;
  for (const DNDarray& array : indices.arrays) {
    if (array.layout().is_split()) return false;
    entries = std::max(entries, array.layout().size());
  }
  return items <= entries;
}

}  // namespace

Shape index_shape(const IndexArrays& indices) {
  Shape out;
  std::string shapes;
  for (const DNDarray& array : indices.arrays) shapes += " " + to_string(array.shape());
  for (const DNDarray& array : indices.arrays) {
    for (std::size_t i = 1; i <= std::min(out.size(), array.shape().size()); ++i) {
      const std::int64_t a = out[out.size() - i];
      const std::int64_t b = array.shape()[array.shape().size() - i];
      EH_CHECK(a == b || a == 1 || b == 1, IndexError,
               "shape mismatch: indexing arrays could not be broadcast together with shapes", shapes);
    }
    out = broadcast_shapes(out, array.shape(), "index");
  }
  return out;
}

IndexArrays checked_indices(const Shape& shape, const IndexArrays& indices) {
  EH_CHECK(!indices.axes.empty() && indices.axes.size() == indices.arrays.size(), ValueError,
           "index: ", indices.arrays.size(), " arrays for ", indices.axes.size(),
           " axes; one each, and at least one");
  const bool nothing = numel(index_shape(indices)) == 0;  // NumPy looks at no bounds then
  IndexArrays out{indices.axes, {}};
  std::vector<std::optional<std::int64_t>> bad(indices.axes.size());
  bool spread = false;
  for (std::size_t i = 0; i < indices.axes.size(); ++i) {
    const DNDarray& array = indices.arrays[i];
    const std::int64_t extent = shape[at(indices.axes[i])];
    if (nothing) {
      out.arrays.push_back(array.with_local(array.local().to(at::kLong).mul(0)));
      continue;
    }
    out.arrays.push_back(array.with_local(nonnegative(array.local(), extent, bad[i])));
    if (bad[i] && !array.is_distributed()) refuse(*bad[i], indices.axes[i], extent);
    spread = spread || array.is_distributed();
  }
  if (spread) agree(bad, indices, shape, indices.arrays[0].comm());
  return out;
}

int index_place(const std::vector<int>& axes) {
  const bool neighbours = axes.back() - axes.front() == static_cast<int>(axes.size()) - 1;
  return neighbours ? axes.front() : 0;
}

bool indexed_on_split(const DNDarray& x, const std::vector<int>& axes) {
  return x.is_distributed() && std::find(axes.begin(), axes.end(), x.split()) != axes.end();
}

Aligned align_indices(const DNDarray& x, const IndexArrays& indices) {
  std::vector<const DNDarray*> operands;
  for (const DNDarray& array : indices.arrays) operands.push_back(&array);
  Aligned out = align(operands, "index");
  const bool on_split = x.layout().is_split() &&
                        std::find(indices.axes.begin(), indices.axes.end(), x.split()) != indices.axes.end();
  if (out.layout->is_split() || !on_split || out.layout->ndim() == 0) return out;
  const Shape& shape = out.layout->gshape();
  out.layout = share(Layout::balanced(shape, longest(shape), x.comm().size()));
  if (x.comm().size() == 1) return out;
  for (at::Tensor& local : out.locals) local = rank_part(local, *out.layout, x.comm().rank());
  return out;
}

Layout selected_layout(const DNDarray& x, const std::vector<int>& axes, const Layout& index) {
  const int place = index_place(axes);
  Shape shape;
  int split = kNoSplit;
  for (int axis = 0; axis < x.ndim(); ++axis) {
    if (std::binary_search(axes.begin(), axes.end(), axis)) continue;
    const int here = static_cast<int>(shape.size());
    if (axis == x.split()) split = here < place ? here : here + index.ndim();
    shape.push_back(x.shape()[at(axis)]);
  }
  shape.insert(shape.begin() + place, index.gshape().begin(), index.gshape().end());
  if (split != kNoSplit) return x.layout().with_shape(std::move(shape), split);
  if (index.is_split()) return index.with_shape(std::move(shape), place + index.split());
  return Layout::replicated(std::move(shape), x.comm().size());
}

std::vector<std::int64_t> split_first(const std::vector<int>& axes, int split) {
  std::vector<std::int64_t> out(axes.begin(), axes.end());
  const auto found = std::find(out.begin(), out.end(), split);
  if (found != out.end()) std::rotate(out.begin(), found, found + 1);
  return out;
}

at::Tensor flat_positions(const std::vector<at::Tensor>& arrays, const Shape& extents) {
  at::Tensor out = arrays[0];
  for (std::size_t i = 1; i < arrays.size(); ++i) out = out.mul(extents[i]).add(arrays[i]);
  return out;
}

std::vector<at::Tensor> unravel(const at::Tensor& position, const at::Tensor& block,
                                const std::vector<std::int64_t>& axes) {
  std::vector<at::Tensor> out(axes.size(), position);
  for (std::size_t i = axes.size(); i-- > 1;) {
    const std::int64_t extent = std::max<std::int64_t>(block.size(axes[i]), 1);
    out[i] = out[0].remainder(extent);
    out[0] = out[0].div(extent, "floor");
  }
  return out;
}

IndexRoute route_index(const DNDarray& x, const IndexArrays& indices, const Aligned& aligned) {
  const Layout& index = *aligned.layout;
  const OwnItems own = own_items(x, indices.axes, aligned.locals, index.lshape(x.comm().rank()));
  const std::int64_t n = own.rows.numel();
  const at::Tensor place = long_tensor(n);
  const at::Tensor positions = long_tensor(n);
  const kernels::Routed routed =
      kernels::route(own.items(), x.layout().offsets(), place.mutable_data_ptr<std::int64_t>(),
                     positions.mutable_data_ptr<std::int64_t>());
  IndexRoute out{{}, {}, routed.counts, {}};
  if (!routed.in_order) out.place = place.to(x.local().device());
  if (is_known_everywhere(indices, index.size()))
    find_asked(x, indices, index, out);
  else
    send_requests(x, positions, out);
  return out;
}

IndexArrays turn_of(const IndexArrays& indices, const Aligned& aligned, int rank) {
  const Layout& index = *aligned.layout;
  IndexArrays out{indices.axes, {}};
  for (std::size_t i = 0; i < indices.arrays.size(); ++i) {
    const DNDarray& array = indices.arrays[i];
    const int axis = index.split() - (index.ndim() - array.ndim());
    const int nranks = index.nranks();
    if (axis < 0 || array.shape()[at(axis)] != index.gshape()[at(index.split())]) {
      const LayoutPtr whole = share(Layout::replicated(array.shape(), nranks));
      out.arrays.emplace_back(aligned.locals[i], whole, array.comm_ptr());
      continue;
    }
    const DNDarray there(aligned.locals[i], share(index.with_shape(array.shape(), axis)), array.comm_ptr());
    std::vector<AxisSlice> slices;
    for (std::int64_t n : array.shape()) slices.push_back({0, 1, n});
    slices[at(axis)] = {index.offset(rank), 1, index.count(rank)};
    out.arrays.push_back(resplit(slice_view(there, slices), kNoSplit));
  }
  return out;
}

}  // namespace eh
