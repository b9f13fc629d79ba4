// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"

/// Iterations that need a Hermitian matrix for its products with vectors only. On matrices without gradients.
namespace eh {

/// Rows of a square matrix by the chunk rule, or all of them on every rank: where it is replicated, or so small
/// (LinalgTuning::small elements) that messages at every step would take longer than the whole product.
class RowBlock {
 public:
  /// Collective: one alltoallv, or one allgather, if the matrix is not distributed so already.
  explicit RowBlock(const DNDarray& a);

  std::int64_t extent() const { return extent_; }
  std::int64_t rows() const { return block_.size(0); }
  const at::Tensor& block() const { return block_; }
  /// Own rows of a vector that is whole here. Local.
  at::Tensor own(const at::Tensor& whole) const { return whole.narrow(0, begin_, rows()); }
  /// The vector of which every rank has its rows. Collective if the rows are shared.
  at::Tensor whole(const at::Tensor& own) const;
  /// The sum over all rows. Collective if the rows are shared.
  at::Tensor total(const at::Tensor& partial) const;

 private:
  at::Tensor block_;
  CommPtr comm_;
  std::vector<std::int64_t> counts_;  // empty: nothing is shared
  std::int64_t begin_ = 0;
  std::int64_t extent_;
};

/// x with a x = b for a positive definite a, from `start` on (Hestenes, Stiefel, J. Res. Natl. Bur. Stand. 49, 1952),
/// until the residual is at most rtol times b, or for `steps` steps. Vectors are whole on every rank.
/// Collective: an allgather of n elements a step.
at::Tensor conjugate_gradients(const DNDarray& a, const at::Tensor& b, const at::Tensor& start, double rtol,
                               std::int64_t steps);

/// Orthonormal basis of the space of v, a v, a^2 v, ..., and a in that basis, which is tridiagonal (Lanczos, J. Res.
/// Natl. Bur. Stand. 45, 1950), with full reorthogonalisation, twice.
class KrylovSpace {
 public:
  /// @pre 0 < vectors <= n. Collective.
  KrylovSpace(const DNDarray& a, std::int64_t vectors);

  /// The next vector: one that is whole on every rank, made orthogonal to those before and normalised. Collective.
  void append(const at::Tensor& whole);
  /// Steps until all vectors are there (true), or the space ends and another vector must continue it. Each step is a
  /// product, one allgather of n elements, two allreduces of at most vectors + 1. Collective.
  /// @pre a vector was appended
  bool grow();
  /// (n, vectors): split 0 if a is split. Local.
  DNDarray basis() const;
  /// (vectors, vectors), real, replicated. Local.
  DNDarray tridiagonal() const;

 private:
  struct Rest {
    at::Tensor vector;  ///< own rows, orthogonal to the vectors there are
    double along;       ///< the part along the last of them, real for a Hermitian matrix
    double norm;
  };
  Rest orthogonal(const at::Tensor& own) const;
  void set(const Rest& rest);

  DNDarray a_;
  RowBlock matrix_;
  at::Tensor rows_;  // own rows of the basis, transposed: a vector of it is contiguous
  std::int64_t count_ = 0;
  double least_;  // a rest whose norm is not above is rounding
  std::vector<double> diagonal_;
  std::vector<double> beside_;
};

}  // namespace eh
