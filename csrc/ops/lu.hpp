// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ops/dealt.hpp"

/// Systems of one matrix whose columns are dealt out over ranks. No gradients.
///
/// Right-looking elimination by panels with partial pivoting (Golub, Van Loan: Matrix Computations, 3.4): the owner
/// of a panel factorises it and sends it to all ranks, which update their columns behind it. The next panel is
/// updated and sent before the rest of the present update. Cost per rank: n^2 / 2 elements received.
namespace eh {

/// An elimination of n own columns, of a square matrix, with right-hand sides behind them.
struct Eliminated {
  at::Tensor columns;   ///< (n, own + rhs): the own columns of u, garbage below the diagonal; l^-1 p rhs
  at::Tensor diagonal;  ///< own entries of u's diagonal
  bool odd;             ///< parity of the row exchanges
};

/// The result is in the memory of `columns`. Collective.
/// @pre columns (n, cyclic.count(rank) + any number)
Eliminated eliminate(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm);

/// Which triangle of a matrix counts, and whether its diagonal is taken as ones.
struct Triangle {
  bool upper;
  bool unit;
};

/// rhs := t^-1 rhs for a triangular t (n, n) of which every rank has its columns and its own right-hand sides.
/// Every panel is sent to all ranks, one ahead of use: n^2 / 2 elements. Collective.
void substitute(const at::Tensor& columns, const Cyclic& cyclic, const Triangle& triangle,
                const at::Tensor& rhs, const Communicator& comm);

}  // namespace eh
