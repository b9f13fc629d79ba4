// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "ops/dealt.hpp"

/// Eigenvalues of one large Hermitian matrix: reduction to a tridiagonal matrix, divide and conquer, reflections back.
namespace eh {

/// A real symmetric tridiagonal matrix; the same on every rank.
struct Tridiagonal {
  std::vector<double> d;  ///< diagonal
  std::vector<double> e;  ///< off-diagonal
};

/// Of a matrix whose largest element is above 1e-12, what is below this is dropped: its squares have lost digits.
constexpr double kNegligible = 1e-140;

/// t = q^H a q with q = h_0 h_1 ..., h = 1 - tau v v^H as LAPACK's.
struct Tridiagonalised {
  Tridiagonal t;
  std::vector<at::Tensor>
      reflectors;  ///< per block: (width, rows behind its first), v in rows; own blocks only
  std::vector<c10::complex<double>> tau;
};

/// Householder reduction of a matrix of which every rank has its columns, which are overwritten. Updates are delayed
/// within a panel (Dongarra, Hammarling, Sorensen, J. Comput. Appl. Math. 27, 1989). Per column a broadcast of the
/// reflector and an allreduce of the product with it. Collective.
Tridiagonalised tridiagonalise(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm);
/// The same in memory of processors; reads what lies on and below the diagonal, once per column.
Tridiagonalised tridiagonalise_host(const at::Tensor& columns, const Cyclic& cyclic,
                                    const Communicator& comm);

/// z := q z for own columns z (n, any). Every panel of reflectors is broadcast. Collective.
void apply_reflections(const Tridiagonalised& reduction, const Cyclic& cyclic, const at::Tensor& z,
                       const Communicator& comm);

struct TridiagonalEigen {
  std::vector<double> values;  ///< ascending
  at::Tensor rows;             ///< (n, own): own rows of the eigenvectors, transposed
};

/// Divide and conquer (kernels/secular.hpp) with rows of the eigenvectors on every rank; an allreduce of n numbers per
/// level, and one allgather and one allreduce of the roots per merge of more than a few of them. Collective.
TridiagonalEigen divide_and_conquer(Tridiagonal t, const Chunk& own, const at::Tensor& like,
                                    const Communicator& comm);

/// The eigenvalues alone: every rank finds its share by bisection. One allgather.
std::vector<double> tridiagonal_eigenvalues(const Tridiagonal& t, const Communicator& comm);

}  // namespace eh
