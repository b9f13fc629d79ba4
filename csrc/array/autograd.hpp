// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"
#include "layout/moves.hpp"

/// Communication with adjoints: the only file behind this header that includes torch's autograd.
///
/// Convention (as for one process): the program computes one global scalar, known on every rank. The
/// gradient of a replicated array is replicated and whole; the gradient of a split array is split alike.
/// What every rank computes from a replicated array *and its own block* is a partial result; so
///   partial -> replicated (a sum over ranks) has the identity as adjoint, and
///   replicated -> partial (enter_partial) has the sum over ranks as adjoint.
namespace eh {

/// True if autograd follows this tensor: it records operations, or the tensor carries a tangent (forward mode).
bool needs_grad(const at::Tensor& tensor);
/// The tensor itself, on its way into a function that only has a derivative backwards.
/// @throws NotSupported if it carries a tangent, which would be lost
const at::Tensor& without_tangent(const at::Tensor& tensor);

/// Sum over ranks of partial results. Collective; adjoint: identity.
at::Tensor sum_partials(const at::Tensor& partial, const CommPtr& comm);
/// The replicated tensor itself, for use beside local blocks. Adjoint: a sum over ranks (collective).
at::Tensor enter_partial(const at::Tensor& replicated, const CommPtr& comm);
/// Element-wise minimum or maximum over ranks; the gradient goes, in equal shares, to the ranks that attain it.
at::Tensor extreme_partials(const at::Tensor& partial, ReduceOp op, const CommPtr& comm);
/// A new leading axis with one entry per rank, replicated. Adjoint: the own entry. For prod and the like.
at::Tensor stack_partials(const at::Tensor& partial, const CommPtr& comm);

/// Rows moved along axis `axis`: the result has to[rank] rows; rows that no move writes are zero.
/// Adjoint: the moves backwards, added up. Collective.
at::Tensor move_rows(const at::Tensor& local, int axis, const std::vector<std::int64_t>& from,
                     const std::vector<std::int64_t>& to, const std::vector<Move>& moves,
                     const CommPtr& comm);

/// The block of the same global array under another layout. Adjoint: the way back. Collective.
/// @pre from->gshape() == to->gshape()
at::Tensor redistribute_local(const at::Tensor& local, const LayoutPtr& from, const LayoutPtr& to,
                              const CommPtr& comm);

}  // namespace eh
