// SPDX-License-Identifier: BSD-3-Clause
// Products: every rank fetches the rows of the second operand that its own columns name, and no others.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <utility>

#include "array/autograd.hpp"
#include "array/exchange_rows.hpp"
#include "array/redistribute.hpp"
#include "ops/sparse.hpp"

namespace eh {
namespace {

/// Of ascending rows, how many each rank owns.
Counts count_by_owner(const at::Tensor& rows, const Counts& owned) {
  const auto* row = rows.const_data_ptr<std::int64_t>();
  const auto* end = row + rows.size(0);
  const Counts offsets = offsets_of(owned);
  Counts counts;
  for (std::size_t r = 0; r < owned.size(); ++r) {
    const auto* next = std::lower_bound(row, end, offsets[r + 1]);
    counts.push_back(next - row);
    row = next;
  }
  return counts;
}

RowFetch plan_fetch(const SparseMatrix& a, const Counts& owned) {
  const CommPtr& comm = a.comm_ptr();
  auto [columns, compact] = without_empty_columns(a.local());
  Counts wanted = count_by_owner(columns, owned);
  Counts gives(wanted.size());
  const auto n = static_cast<std::int64_t>(wanted.size());
  comm->alltoall({wanted.data(), n, DType::Int64}, {gives.data(), n, DType::Int64});
  const std::int64_t first = offsets_of(owned)[static_cast<std::size_t>(comm->rank())];
  const at::Tensor given = exchange_rows(columns, wanted, gives, comm).sub(first);
  return {owned, columns, compact, std::move(wanted), given, std::move(gives)};
}

/// Layout of a result whose rows are those of `like`.
LayoutPtr rows_like(const Layout& like, std::int64_t rows, const Shape& x) {
  Shape shape = x;
  shape[0] = rows;
  return share(like.is_split() ? like.with_shape(shape, 0) : Layout::replicated(shape, like.nranks()));
}

/// Every rank has what it needs of a and x, and x's layout says what the result is like.
DNDarray local_product(const SparseMatrix& a, const DNDarray& x, bool transposed) {
  Shape shape = x.shape();
  shape[0] = a.shape()[transposed ? 1 : 0];
  const Layout& like = x.layout();
  LayoutPtr layout = share(like.split() == 1 ? like.with_shape(shape, 1)
                           : like.is_split() ? Layout::balanced(shape, 0, like.nranks())
                                             : Layout::replicated(shape, like.nranks()));
  return {times_dense(a.local(), x.local(), transposed), std::move(layout), a.comm_ptr()};
}

/// a split along the rows.
DNDarray times_split(const SparseMatrix& a, const DNDarray& x) {
  const CommPtr& comm = a.comm_ptr();
  LayoutPtr layout = rows_like(a.layout(), a.shape()[0], x.shape());
  if (!x.layout().is_split())
    return {times_dense(a.local(), enter_partial(x.local(), comm), false), std::move(layout), comm};
  const DNDarray rows = x.split() == 0 ? x : resplit(x, 0);
  const RowFetch& fetch = a.fetch(rows.layout().counts());
  const at::Tensor needed =
      exchange_rows(rows.local().index_select(0, fetch.given), fetch.gives, fetch.wanted, comm);
  const Compressed block = fetch.compact.with_values(a.local().values);
  return {times_dense(block, needed, false), std::move(layout), comm};
}

/// Transpose of a, which is split along the rows.
DNDarray transpose_times_split(const SparseMatrix& a, const DNDarray& x) {
  const CommPtr& comm = a.comm_ptr();
  const DNDarray rows = redistribute(x, rows_like(a.layout(), a.shape()[0], x.shape()));
  LayoutPtr layout = rows_like(Layout::balanced({a.shape()[1]}, 0, comm->size()), a.shape()[1], x.shape());
  const RowFetch& fetch = a.fetch(layout->counts());
  const Compressed block = fetch.compact.with_values(a.local().values);
  const at::Tensor partial = times_dense(block, rows.local(), true);
  const at::Tensor arrived = exchange_rows(partial, fetch.wanted, fetch.gives, comm);
  const at::Tensor zeros = partial.new_zeros({layout->count(comm->rank()), partial.size(1)});
  return {zeros.index_add(0, fetch.given, arrived), std::move(layout), comm};
}

DNDarray times_matrix(const SparseMatrix& a, const DNDarray& x, bool transposed) {
  if (a.comm().size() > 1 && (a.is_split() || x.split() == 0)) {
    if (a.is_split()) return transposed ? transpose_times_split(a, x) : times_split(a, x);
    // A replicated matrix is cut for free.
    const LayoutPtr cut = transposed ? share(x.layout().with_shape(a.shape(), 0))
                                     : share(Layout::balanced(a.shape(), 0, a.comm().size()));
    return times_matrix(sparse_redistribute(a, cut), x, transposed);
  }
  const DNDarray product = local_product(a, x, transposed);
  if (!a.is_split()) return product;
  return {product.local(), share(Layout::balanced(product.shape(), 0, 1)), a.comm_ptr()};
}

/// The rows of b named by the fetch's columns, in their order.
Compressed fetched(const SparseMatrix& b, const RowFetch& fetch) {
  const CommPtr& comm = b.comm_ptr();
  const Compressed sent = pick_rows(b.local(), fetch.given);
  const std::int64_t n = sent.rows();
  const at::Tensor lengths = sent.begin.narrow(0, 1, n).sub(sent.begin.narrow(0, 0, n));
  const at::Tensor begin = fetch.columns.new_zeros({fetch.columns.size(0) + 1});
  begin.narrow(0, 1, fetch.columns.size(0))
      .copy_(exchange_rows(lengths, fetch.gives, fetch.wanted, comm).cumsum(0));
  const auto entries = [](const at::Tensor& begins, const Counts& rows) {
    const auto* at = begins.const_data_ptr<std::int64_t>();
    Counts counts;
    for (const std::int64_t row : offsets_of(rows)) counts.push_back(at[row]);
    for (std::size_t r = 0; r + 1 < counts.size(); ++r) counts[r] = counts[r + 1] - counts[r];
    counts.pop_back();
    return counts;
  };
  const Counts send = entries(sent.begin, fetch.gives);
  const Counts recv = entries(begin, fetch.wanted);
  return {begin, exchange_rows(sent.columns, send, recv, comm), exchange_rows(sent.values, send, recv, comm),
          sent.width};
}

}  // namespace

const RowFetch& SparseMatrix::fetch(const std::vector<std::int64_t>& owned) const {
  if (fetch_ == nullptr || fetch_->owned != owned)
    fetch_ = std::make_shared<const RowFetch>(plan_fetch(*this, owned));
  return *fetch_;
}

DNDarray sparse_times_dense(const SparseMatrix& a, const DNDarray& x, bool transposed) {
  if (x.ndim() == 2) return times_matrix(a, x, transposed);
  const Layout& of = x.layout();
  const Shape column = {x.shape()[0], 1};
  const LayoutPtr as_column =
      share(of.is_split() ? of.with_shape(column, 0) : Layout::replicated(column, of.nranks()));
  const DNDarray product = times_matrix(a, {x.local().unsqueeze(1), as_column, x.comm_ptr()}, transposed);
  return {product.local().squeeze(1), share(product.layout().reduced({1}, false)), a.comm_ptr()};
}

SparseMatrix sparse_times_sparse(const SparseMatrix& a, const SparseMatrix& b) {
  const CommPtr& comm = a.comm_ptr();
  const Shape shape = {a.shape()[0], b.shape()[1]};
  if (!a.is_split() && b.is_split()) {
    const LayoutPtr cut = share(Layout::balanced(a.shape(), 0, comm->size()));
    return sparse_times_sparse(sparse_redistribute(a, cut), b);
  }
  const LayoutPtr layout =
      share(a.is_split() ? a.layout().with_shape(shape, 0) : Layout::replicated(shape, comm->size()));
  if (!a.is_distributed() || !b.is_split())
    return sparse_from_block(times(a.local(), b.local()), layout, comm);
  const RowFetch& fetch = a.fetch(b.layout().counts());
  const Compressed block = fetch.compact.with_values(a.local().values);
  return sparse_from_block(times(block, fetched(b, fetch)), layout, comm);
}

}  // namespace eh
