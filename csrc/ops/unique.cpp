// SPDX-License-Identifier: BSD-3-Clause
#include "ops/unique.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "kernels/unique.hpp"
#include "ops/routing.hpp"
#include "ops/selection.hpp"
#include "ops/sorting.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

/// Distinct rows, ascending, with what is known of them.
struct Entries {
  at::Tensor rows;    ///< (n, width)
  at::Tensor counts;  ///< (n,) int64; may be empty if not wanted
  at::Tensor firsts;  ///< (n,) int64, row numbers; undefined if not wanted
};

kernels::Rows view(const at::Tensor& rows, bool equal_nan) {
  return {dtype_of(rows.scalar_type()), rows.const_data_ptr(), rows.size(0), rows.size(1), equal_nan};
}

/// Distinct rows of a block; `group` gets every row's number among them, if wanted.
Entries distinct(const at::Tensor& rows, const UniqueWanted& wanted, at::Tensor* group) {
  if (rows.size(1) == 1 && group == nullptr && !wanted.indices) {
    const at::Tensor values = rows.new_empty(rows.sizes());
    std::vector<std::int64_t> counts;
    const std::int64_t n = kernels::distinct_values(view(rows, wanted.equal_nan), values.mutable_data_ptr(),
                                                    wanted.counts ? &counts : nullptr);
    return {values.narrow(0, 0, n), index_tensor(counts, rows), {}};
  }
  if (group != nullptr) *group = rows.new_empty({rows.size(0)}, at::kLong);
  const kernels::Groups groups = kernels::group_rows(
      view(rows, wanted.equal_nan), group == nullptr ? nullptr : group->mutable_data_ptr<std::int64_t>());
  const at::Tensor first = index_tensor(groups.first, rows);
  const std::int64_t width = rows.size(1) * rows.element_size();
  const at::Tensor chosen =
      rows.numel() == 0
          ? rows.narrow(0, 0, first.numel())
          : as_bytes(rows).view({rows.size(0), width}).index_select(0, first).view(rows.scalar_type());
  return {chosen, index_tensor(groups.size, rows), first};
}

/// Rows that cut the order of all ranks' rows into about equal parts: one fewer than ranks, or none. Collective.
at::Tensor splitters(const at::Tensor& rows, const Counts& lengths, const UniqueWanted& wanted,
                     const Communicator& comm) {
  constexpr std::int64_t kMost = 1 << 16;
  const std::int64_t total = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  const std::int64_t nranks = comm.size();
  const std::int64_t stride = std::max(total / std::min(nranks * nranks, kMost), std::int64_t{1});
  Counts taken;
  for (std::int64_t n : lengths) taken.push_back((n + stride - 1) / stride);
  const at::Tensor samples = allgather(rows.slice(0, 0, rows.size(0), stride), 0, taken, comm).contiguous();
  const Entries sorted = distinct(samples, {true, false, false, wanted.equal_nan}, nullptr);
  const std::int64_t n = sorted.rows.size(0);
  std::vector<std::int64_t> chosen;
  for (std::int64_t r = 1; r < nranks && n > 0; ++r) chosen.push_back(r * n / nranks);
  at::Tensor out = rows.new_empty({static_cast<std::int64_t>(chosen.size()), rows.size(1)});
  for (std::size_t i = 0; i < chosen.size(); ++i)
    out.select(0, static_cast<std::int64_t>(i)).copy_(sorted.rows.select(0, chosen[i]));
  return out;
}

Traffic traffic(const Entries& own, const UniqueWanted& wanted, const Communicator& comm) {
  const Counts lengths = allgather_int(own.rows.size(0), comm);
  const at::Tensor limits = splitters(own.rows, lengths, wanted, comm);
  std::vector<std::int64_t> ends =
      kernels::rows_before(view(own.rows, wanted.equal_nan), view(limits, wanted.equal_nan));
  ends.resize(static_cast<std::size_t>(comm.size()), own.rows.size(0));
  return plan_traffic(std::move(ends), comm);
}

/// Distinct rows of all ranks, spread over them in order; `group` is renumbered from own to global rows. Collective.
Entries merged(const Entries& own, const UniqueWanted& wanted, at::Tensor* group, Counts& counts,
               const Communicator& comm) {
  const Traffic t = traffic(own, wanted, comm);
  const at::Tensor rows = route(own.rows, t.sent, t.received, comm);
  at::Tensor place;
  const bool numbered = wanted.counts || wanted.indices || group != nullptr;
  Entries out = distinct(rows, wanted, numbered ? &place : nullptr);
  if (wanted.counts) {
    const at::Tensor sizes = route(own.counts, t.sent, t.received, comm);
    out.counts = at::Tensor(out.counts.new_zeros(out.counts.sizes())).index_add_(0, place, sizes);
  }
  if (wanted.indices) {
    // Runs lie in rank order, but a flattened array's first index need not be the first rank's.
    const at::Tensor firsts = route(own.firsts, t.sent, t.received, comm);
    out.firsts = firsts.new_full({out.rows.size(0)}, std::numeric_limits<std::int64_t>::max());
    out.firsts.scatter_reduce_(0, place, firsts, "amin");
  }
  counts = allgather_int(out.rows.size(0), comm);
  if (group != nullptr) {
    const std::int64_t offset = offsets_of(counts)[at(comm.rank())];
    const at::Tensor numbers = route(place.add(offset), t.received, t.sent, comm);
    *group = numbers.index_select(0, *group);
  }
  return out;
}

/// Positions in the flattened block as positions in the flattened array.
at::Tensor flat_positions(const at::Tensor& flat, const DNDarray& x) {
  if (!x.layout().is_split() || flat.numel() == 0) return flat;
  const auto split = at(x.split());
  std::int64_t inner = 1;
  for (std::size_t i = split + 1; i < x.shape().size(); ++i) inner *= x.shape()[i];
  const std::int64_t own = x.local().size(x.split()) * inner;
  const at::Tensor outer = flat.floor_divide(at::Scalar(own));
  return flat.add(outer.mul(x.shape()[split] * inner - own)).add(x.layout().offset(x.comm().rank()) * inner);
}

/// The array whose distinct slices along its first axis are sought, as rows.
struct Question {
  at::Tensor rows;   ///< of this rank
  bool distributed;  ///< rows of other ranks count too
  Layout inverse;    ///< of the inverse
  Shape row_shape;   ///< of a value
  int axis;          ///< of the values in the result
};

Question question(const DNDarray& x, std::optional<int> axis) {
  const at::Tensor local = x.local().detach().resolve_conj().resolve_neg().cpu();
  if (!axis) return {local.reshape({-1, 1}).contiguous(), x.is_distributed(), x.layout(), {}, 0};
  Shape rest = shape_of(local);
  rest.erase(rest.begin() + *axis);
  const at::Tensor first = local.movedim(*axis, 0);
  const std::int64_t n = x.shape()[at(*axis)];
  Layout inverse =
      x.layout().is_split() ? x.layout().with_shape({n}, 0) : Layout::replicated({n}, x.comm().size());
  return {first.reshape({first.size(0), numel(rest)}).contiguous(), x.is_distributed(), std::move(inverse),
          rest, *axis};
}

}  // namespace

Unique unique(const DNDarray& x, std::optional<int> axis, const UniqueWanted& wanted) {
  if (axis) axis = normalize_axis(*axis, x.ndim(), "unique");
  const DNDarray given = axis && x.layout().is_split() && x.split() != *axis ? resplit(x, *axis) : x;
  const Question q = question(given, axis);
  const Communicator& comm = x.comm();
  at::Tensor group;
  at::Tensor* inverse = wanted.inverse ? &group : nullptr;
  Entries found = distinct(q.rows, wanted, inverse);
  if (wanted.indices) {
    found.firsts = !axis                       ? flat_positions(found.firsts, given)
                   : given.layout().is_split() ? found.firsts.add(given.layout().offset(comm.rank()))
                                               : found.firsts;
  }
  Counts counts(static_cast<std::size_t>(comm.size()), found.rows.size(0));
  if (q.distributed) found = merged(found, wanted, inverse, counts, comm);
  const bool split = x.layout().is_split();
  const auto deliver = [&](const at::Tensor& t, Shape row, int where) {
    row.insert(row.begin(), t.size(0));
    at::Tensor local = t.reshape(sizes(row)).movedim(0, where).to(x.local().device());
    Shape shape = shape_of(local);
    shape[at(where)] = split && comm.size() > 1 ? offsets_of(counts).back() : t.size(0);
    Layout layout = split && comm.size() > 1 ? Layout::with_counts(shape, where, counts)
                                             : Layout::balanced(shape, split ? where : kNoSplit, comm.size());
    return balance({local.contiguous(), share(std::move(layout)), x.comm_ptr()});
  };
  Unique out{deliver(found.rows, q.row_shape, q.axis), {}, {}, {}};
  if (wanted.indices) out.indices = deliver(found.firsts, {}, 0);
  if (wanted.counts) out.counts = deliver(found.counts, {}, 0);
  if (wanted.inverse) {
    const at::Tensor local = group.reshape(sizes(q.inverse.lshape(comm.rank())));
    out.inverse = DNDarray(local.to(x.local().device()), share(q.inverse), x.comm_ptr());
  }
  return out;
}

}  // namespace eh
