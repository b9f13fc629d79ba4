// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ops/dealt.hpp"

/// Systems of one matrix whose columns are dealt out over ranks. No gradients.
///
/// Right-looking elimination by panels with partial pivoting (Golub, Van Loan: Matrix Computations, 3.4): the owner
/// of a panel factorises it and sends it to all ranks, which update their columns behind it. The next panel is
/// updated and sent before the rest of the present update. Cost per rank: n^2 / 2 elements received.
namespace eh {

/// How the columns of a matrix of this order are dealt out: panels of twice the usual width, whose products are faster,
/// where every rank still has six of them.
Cyclic elimination_panels(std::int64_t order, int ranks);

/// An elimination of n own columns, of a square matrix, with right-hand sides behind them.
struct Eliminated {
  at::Tensor
      columns;  ///< (n, own + rhs): the own columns of u and, if kept, of l below the diagonal; l^-1 p rhs
  at::Tensor diagonal;             ///< own entries of u's diagonal
  std::vector<std::int64_t> rows;  ///< row i of l u is that row of the matrix
  bool odd;                        ///< parity of the row exchanges
};

/// The result is in the memory of `columns`. Collective.
/// @param keep_lower  l is wanted: its rows are exchanged as later panels demand
/// @pre columns (n, cyclic.count(rank) + any number)
Eliminated eliminate(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm,
                     bool keep_lower = false);

/// Which triangle of a matrix counts, and whether its diagonal is taken as ones.
struct Triangle {
  bool upper;
  bool unit;
};

/// rhs := t^-1 rhs for a triangular t (n, n) of which every rank has its columns and its own right-hand sides.
/// Every panel is sent to all ranks, one ahead of use: n^2 / 2 elements. Collective.
void substitute(const at::Tensor& columns, const Cyclic& cyclic, const Triangle& triangle,
                const at::Tensor& rhs, const Communicator& comm);

/// The same for a lower triangle and right-hand sides that begin with zeros: column j, its first starts[j] rows. A third
/// of the work where they are the identity's. @pre starts ascend
void substitute_from(const at::Tensor& columns, const Cyclic& cyclic, const at::Tensor& rhs,
                     const std::vector<std::int64_t>& starts, const Communicator& comm);

}  // namespace eh
