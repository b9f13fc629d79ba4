// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/creation.hpp"
#include "kernels/permutation.hpp"
#include "kernels/philox.hpp"

/// Random arrays: element i of the flattened global array is element i of a counter-based stream, so that every rank
/// count and every layout gives the same array. Local, no communication.
namespace eh {

using kernels::PhiloxStream;
using kernels::RandomPermutation;

/// Uniform in [0, 1); never 1, also in float16 and bfloat16. @throws TypeError unless the dtype is real
DNDarray random_uniform(const NewArray& spec, PhiloxStream stream);
/// Standard normal. @throws TypeError unless the dtype is real
DNDarray random_normal(const NewArray& spec, PhiloxStream stream);
/// Integers low, ..., low + span, equally likely. They must fit the dtype.
DNDarray random_integers(const NewArray& spec, PhiloxStream stream, std::int64_t low, std::uint64_t span);
/// The permutation's entries. @pre spec.shape is (permutation.size(),)
DNDarray random_permutation(const NewArray& spec, const RandomPermutation& permutation);

/// Blocks of the stream that such an array uses up.
std::uint64_t random_blocks(const Shape& shape, at::ScalarType dtype);

/// Rows in the order of the permutation: row i of the result is row permutation(i) of x. Layout kept. Differentiable.
/// Collective when x is split along axis 0: one allgather of nranks counts, one alltoallv of the rows.
/// @pre x.shape()[0] == permutation.size()
DNDarray permute_rows(const DNDarray& x, const RandomPermutation& permutation);

}  // namespace eh
