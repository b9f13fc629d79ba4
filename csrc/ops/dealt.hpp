// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"
#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "layout/cyclic.hpp"

/// What the distributed factorisations share: columns dealt out in turn, panels on their way, settings, errors.
namespace eh {

/// Python: numpy.linalg.LinAlgError.
struct LinAlgError : ValueError {
  using ValueError::ValueError;
};

/// Sizes that decide between ways of computing. The same on every rank.
struct LinalgTuning {
  /// Matrices of up to this many elements, or a multiple (whole_up_to), are held whole by every rank: messages would
  /// take longer than LAPACK.
  std::int64_t small = std::int64_t{1} << 18;
  std::int64_t width = 64;  ///< columns of a panel
  std::int64_t leaf = 32;   ///< order below which a tridiagonal matrix is not divided further
};
LinalgTuning& linalg_tuning();

enum class Work : std::uint8_t { Factors, Eigenvectors, Eigenvalues, SingularValues };
/// Elements up to which a matrix is held whole for this. Measured on two ranks: factors are found sooner by messages from
/// order 1000 on, eigenvectors from 700 (double) and 1000 (single precision) on; eigenvalues alone, for which LAPACK has
/// a reduction in two stages, with more than a few ranks; singular values in double precision, which cost ten products,
/// likewise, in single precision like the eigenvectors they are found by.
/// Local.
std::int64_t whole_up_to(Work work, const DNDarray& a);

/// What of a matrix is moved between rows and columns: all, or no more than the blocks of columns from their diagonals on.
/// What lies above is then left as it is in columns, and zero in rows.
enum class Counted : std::uint8_t { All, Lower };

/// The own columns of a matrix, in a copy. Collective unless a is replicated: one alltoallv.
at::Tensor deal_columns(const DNDarray& a, const Cyclic& cyclic, Counted counted = Counted::All);
/// The matrix of these columns under another layout. Collective: one alltoallv or allgather.
DNDarray collect_columns(const at::Tensor& local, const Cyclic& cyclic, const LayoutPtr& to,
                         const CommPtr& comm, Counted counted = Counted::All);

/// Columns that their owner sends to all ranks.
struct Panel {
  at::Tensor data;
  Request request;  ///< after the data: it must be complete before they go
};

/// The array without gradients.
inline DNDarray constant(const DNDarray& x) { return x.with_local(x.local().detach()); }

/// The largest of all ranks' codes, in an int: for verdicts that all ranks must share. Collective.
std::int64_t agreed(const at::Tensor& info, const Communicator& comm);

/// @throws ValueError unless the last two axes of x have one extent
void check_square(const DNDarray& x, const char* fn);

}  // namespace eh
