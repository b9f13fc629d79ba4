// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "array/compressed.hpp"
#include "array/dndarray.hpp"

/// Sparse matrices, rows compressed, split along the rows or replicated. What has its columns compressed is the
/// transpose of such a one.
namespace eh {

/// How the rows of a dense operand reach the ranks whose columns name them.
struct RowFetch {
  std::vector<std::int64_t> owned;  ///< extents of the operand's rows for which this was made
  at::Tensor columns;               ///< rows needed here, ascending
  Compressed compact;               ///< the own block with those columns only
  Counts wanted;                    ///< of them, how many per owner
  at::Tensor given;                 ///< own rows that others need, by rank
  Counts gives;                     ///< how many per rank
};

/// Cheap to copy. The number of entries of every rank is known everywhere.
class SparseMatrix {
 public:
  /// @pre local is canonical and has the rows the layout says
  SparseMatrix(Compressed local, LayoutPtr layout, CommPtr comm, std::vector<std::int64_t> entries);

  const Compressed& local() const { return local_; }
  const Layout& layout() const { return *layout_; }
  const LayoutPtr& layout_ptr() const { return layout_; }
  const Communicator& comm() const { return *comm_; }
  const CommPtr& comm_ptr() const { return comm_; }
  const Shape& shape() const { return layout_->gshape(); }
  bool is_split() const { return layout_->is_split(); }
  bool is_distributed() const { return is_split() && comm_->size() > 1; }
  /// Entries per rank; replicated: one number.
  const std::vector<std::int64_t>& entries() const { return entries_; }

  /// Other values at the same places.
  SparseMatrix with_values(at::Tensor values) const;
  /// The plan for a dense operand with these extents, made at the first call. Collective then: two alltoallv of at
  /// most one number per column.
  const RowFetch& fetch(const std::vector<std::int64_t>& owned) const;

 private:
  Compressed local_;
  LayoutPtr layout_;
  CommPtr comm_;
  std::vector<std::int64_t> entries_;
  mutable std::shared_ptr<const RowFetch> fetch_;
};

/// From this rank's block. Collective if split: one number per rank.
SparseMatrix sparse_from_block(const Compressed& local, const LayoutPtr& layout, const CommPtr& comm);
/// The rows of a matrix that every rank has whole which are this rank's; its columns may be of any integer type, in any
/// order, repeated. Nothing, on all ranks, if a column lies outside. Collective: one number per rank.
std::optional<SparseMatrix> sparse_from_whole(const Compressed& whole, const LayoutPtr& layout,
                                              const CommPtr& comm);
/// From entries with global rows and columns, those at one place added up. `spread`: every rank has entries of its
/// own, which one alltoallv brings to the rows' owners; else all have all of them.
SparseMatrix sparse_from_entries(const at::Tensor& rows, const at::Tensor& columns, const at::Tensor& values,
                                 const LayoutPtr& layout, bool spread, const CommPtr& comm);
/// Split of x, or 0 for 1. Collective: for split 1 one alltoallv of the blocks.
SparseMatrix sparse_from_dense(const DNDarray& x);
DNDarray sparse_to_dense(const SparseMatrix& a);

/// Under another layout of the same shape, split along the rows or replicated. Collective: one alltoallv, or
/// allgather, or nothing for a replicated one.
SparseMatrix sparse_redistribute(const SparseMatrix& a, const LayoutPtr& layout);
/// Rows and columns exchanged; balanced if it was split. Collective: one alltoallv of the entries.
SparseMatrix sparse_transposed(const SparseMatrix& a);

/// Sum, or element-wise product: the layout of the first operand that is split. Collective for other layouts.
SparseMatrix sparse_add(const SparseMatrix& a, const SparseMatrix& b);
SparseMatrix sparse_multiply(const SparseMatrix& a, const SparseMatrix& b);

/// a times x (n) or (n, k), or its transpose times x. Differentiable in x.
///
/// Result: split 0 if a is split or x has split 0: a's extents (balanced for the transpose); split 1 if x has split 1
/// and a is replicated; else replicated. Cost: for a split and x split, the rows of x that a's own columns name, in
/// one alltoallv (for the transpose: of the result); for a replicated x, none.
DNDarray sparse_times_dense(const SparseMatrix& a, const DNDarray& x, bool transposed);
/// a times b. Split as a, or along the rows if only b is split. Cost: the rows of b that a's own columns name.
SparseMatrix sparse_times_sparse(const SparseMatrix& a, const SparseMatrix& b);

}  // namespace eh
