// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "array/dndarray.hpp"
#include "array/parallel.hpp"
#include "kernels/pairwise.hpp"

/// What estimators share: matrices of samples, whole rows on each rank.
namespace eh {

/// The matrix as whole rows of a real floating type: integers, bool and half precision become float32, split 1 is
/// redistributed to split 0 (one alltoallv), the block is contiguous. Collective. Differentiable.
/// @throws ValueError unless 2-D, TypeError for complex numbers; both name `fn` and `argument`
DNDarray as_samples(const DNDarray& x, const char* fn, const char* argument);

/// The same in another type.
DNDarray to_type(const DNDarray& x, at::ScalarType type);
/// A vector with the distribution of the rows of `x`: (n,) or (n, 1). Collective if it is distributed otherwise.
/// @throws ValueError for another length
DNDarray along_samples(const DNDarray& v, const DNDarray& x, const char* fn, const char* argument);

/// A sum of the ranks' parts where samples are split, else the tensor itself. Collective. No gradient.
at::Tensor total_of(const at::Tensor& partial, const DNDarray& samples);
/// A replicated array around a local tensor that is the same on every rank.
DNDarray replicated(const at::Tensor& local, const CommPtr& comm);

template <typename T>
kernels::RowBlock<T> rows_of(const at::Tensor& x) {
  return {x.const_data_ptr<T>(), x.size(0), x.size(1), 0};
}
/// Rows [begin, end) of a block, addressed in results by their place in it.
template <typename T>
kernels::RowBlock<T> part_of(const kernels::RowBlock<T>& x, std::int64_t begin, std::int64_t end) {
  return {x.data + begin * x.features, end - begin, x.features, begin};
}

/// Calls f.operator()<T>() for the type of x, float or double.
template <typename F>
auto by_type(const at::Tensor& x, const F& f) {
  return x.scalar_type() == at::kFloat ? f.template operator()<float>() : f.template operator()<double>();
}

/// Calls visit(owner, blocks) once for every rank's blocks, the own ones first; the next ones are on their way
/// meanwhile. The first axis of every block has counts[owner] entries. Two sets of blocks are held. Collective:
/// p - 1 messages of the size of the blocks.
void circulate(const std::vector<at::Tensor>& own, const std::vector<std::int64_t>& counts,
               const Communicator& comm,
               const std::function<void(int owner, const std::vector<at::Tensor>& blocks)>& visit);

}  // namespace eh
