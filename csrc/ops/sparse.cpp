// SPDX-License-Identifier: BSD-3-Clause
#include "ops/sparse.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "array/exchange_rows.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/compressed.hpp"
#include "kernels/routing.hpp"

namespace eh {
namespace {

/// A vector split as the entries are.
DNDarray as_vector(const at::Tensor& local, const Counts& counts, const CommPtr& comm) {
  const std::int64_t n = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  return {local, share(Layout::with_counts({n}, 0, counts)), comm};
}

/// (rows) lengths made begins.
at::Tensor begins(const at::Tensor& lengths) {
  const at::Tensor out = lengths.new_zeros({lengths.size(0) + 1});
  out.narrow(0, 1, lengths.size(0)).copy_(lengths.cumsum(0));
  return out;
}

at::Tensor lengths_of(const Compressed& a) {
  return a.begin.narrow(0, 1, a.rows()).sub(a.begin.narrow(0, 0, a.rows()));
}

using Local = Compressed (*)(const Compressed&, const Compressed&);

SparseMatrix binary(const SparseMatrix& a, const SparseMatrix& b, Local local) {
  const LayoutPtr& layout = a.is_split() ? a.layout_ptr() : b.layout_ptr();
  const SparseMatrix x = sparse_redistribute(a, layout);
  const SparseMatrix y = sparse_redistribute(b, layout);
  return sparse_from_block(local(x.local(), y.local()), layout, a.comm_ptr());
}

}  // namespace

SparseMatrix::SparseMatrix(Compressed local, LayoutPtr layout, CommPtr comm,
                           std::vector<std::int64_t> entries)
    : local_(std::move(local)),
      layout_(std::move(layout)),
      comm_(std::move(comm)),
      entries_(std::move(entries)) {
  EH_CHECK(local_.values.device().is_cpu(), NotSupported,
           "sparse: matrices live on the CPU, the values are on ", local_.values.device().str());
}

SparseMatrix SparseMatrix::with_values(at::Tensor values) const {
  SparseMatrix out = {local_.with_values(std::move(values)), layout_, comm_, entries_};
  out.fetch_ = fetch_;  // it depends on the places only
  return out;
}

std::optional<SparseMatrix> sparse_from_whole(const Compressed& whole, const LayoutPtr& layout,
                                              const CommPtr& comm) {
  const int rank = comm->rank();
  Compressed own = row_range(whole, layout->offset(rank), layout->count(rank));
  own.columns = own.columns.to(at::kLong, /*non_blocking=*/false, /*copy=*/true);
  own.values = own.values.clone();
  const auto* columns = own.columns.const_data_ptr<std::int64_t>();
  const bool good = kernels::are_within(columns, own.entries(), own.width);
  if (good) own = canonical(own);
  std::vector<std::int64_t> entries = allgather_int(good ? own.entries() : -1, *comm);
  if (*std::min_element(entries.begin(), entries.end()) < 0) return std::nullopt;
  return SparseMatrix(std::move(own), layout, comm, std::move(entries));
}

SparseMatrix sparse_from_block(const Compressed& local, const LayoutPtr& layout, const CommPtr& comm) {
  const bool spread = layout->is_split() && comm->size() > 1;
  return {local, layout, comm,
          spread ? allgather_int(local.entries(), *comm) : std::vector<std::int64_t>{local.entries()}};
}

SparseMatrix sparse_from_entries(const at::Tensor& rows, const at::Tensor& columns, const at::Tensor& values,
                                 const LayoutPtr& layout, bool spread, const CommPtr& comm) {
  const Shape& shape = layout->gshape();
  if (!layout->is_split() || comm->size() == 1)
    return sparse_from_block(compress(rows, columns, values, shape[0], shape[1]), layout, comm);
  const auto me = static_cast<std::size_t>(comm->rank());
  const at::Tensor place = rows.new_empty({rows.size(0)});
  const at::Tensor position = rows.new_empty({rows.size(0)});
  const kernels::Routed routed =
      kernels::route({rows.const_data_ptr<std::int64_t>(), nullptr, 1, rows.size(0)}, layout->offsets(),
                     place.mutable_data_ptr<std::int64_t>(), position.mutable_data_ptr<std::int64_t>());
  Counts recv(routed.counts.size());
  if (spread) {
    const auto n = static_cast<std::int64_t>(recv.size());
    comm->alltoall({routed.counts.data(), n, DType::Int64}, {recv.data(), n, DType::Int64});
  }
  const std::int64_t own =
      std::accumulate(routed.counts.begin(), routed.counts.begin() + comm->rank(), std::int64_t{0});
  const auto moved = [&](const at::Tensor& t, bool in_order) {
    const at::Tensor sorted = in_order ? t : at::Tensor(t.new_empty(t.sizes())).index_copy_(0, place, t);
    return spread ? exchange_rows(sorted, routed.counts, recv, comm)
                  : sorted.narrow(0, own, routed.counts[me]);
  };
  const Compressed block = compress(moved(position, true), moved(columns, routed.in_order),
                                    moved(values, routed.in_order), layout->count(comm->rank()), shape[1]);
  return sparse_from_block(block, layout, comm);
}

SparseMatrix sparse_from_dense(const DNDarray& x) {
  const DNDarray rows = x.split() == 1 ? resplit(x, 0) : x;
  return sparse_from_block(from_dense(rows.local().detach()), rows.layout_ptr(), x.comm_ptr());
}

DNDarray sparse_to_dense(const SparseMatrix& a) {
  return {to_dense(a.local()), a.layout_ptr(), a.comm_ptr()};
}

SparseMatrix sparse_redistribute(const SparseMatrix& a, const LayoutPtr& layout) {
  const CommPtr& comm = a.comm_ptr();
  if (a.layout() == *layout) return a;
  if (comm->size() == 1) return {a.local(), layout, comm, a.entries()};
  if (!a.is_split()) {
    const int rank = comm->rank();
    return sparse_from_block(row_range(a.local(), layout->offset(rank), layout->count(rank)), layout, comm);
  }
  const auto as_rows = [](const Layout& of) {
    const Shape rows = {of.gshape()[0]};
    return of.is_split() ? share(of.with_shape(rows, 0)) : share(Layout::replicated(rows, of.nranks()));
  };
  const DNDarray lengths = {lengths_of(a.local()), as_rows(a.layout()), comm};
  const at::Tensor begin = begins(redistribute(lengths, as_rows(*layout)).local());
  const std::int64_t own = begin.const_data_ptr<std::int64_t>()[begin.size(0) - 1];
  // The entries lie in the order of the rows on either side: their runs move as a vector.
  const Counts counts = layout->is_split() ? allgather_int(own, *comm) : Counts{own};
  const LayoutPtr to = share(layout->is_split() ? Layout::with_counts({offsets_of(counts).back()}, 0, counts)
                                                : Layout::replicated({own}, comm->size()));
  const auto moved = [&](const at::Tensor& t) {
    return redistribute(as_vector(t, a.entries(), comm), to).local();
  };
  return {{begin, moved(a.local().columns), moved(a.local().values), a.local().width}, layout, comm, counts};
}

SparseMatrix sparse_transposed(const SparseMatrix& a) {
  const Shape shape = {a.shape()[1], a.shape()[0]};
  const int split = a.layout().split();
  const LayoutPtr layout = share(Layout::balanced(shape, split, a.comm().size()));
  at::Tensor rows = rows_of(a.local());
  if (a.is_split()) rows = rows.add(a.layout().offset(a.comm().rank()));
  return sparse_from_entries(a.local().columns, rows, a.local().values, layout, true, a.comm_ptr());
}

SparseMatrix sparse_add(const SparseMatrix& a, const SparseMatrix& b) { return binary(a, b, add); }
SparseMatrix sparse_multiply(const SparseMatrix& a, const SparseMatrix& b) { return binary(a, b, multiply); }

}  // namespace eh
