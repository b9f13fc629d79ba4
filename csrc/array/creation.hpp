// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Scalar.h>
#include <c10/core/ScalarType.h>

#include <optional>

#include "array/dndarray.hpp"

/// Arrays from nothing and from what the ranks hold. Every rank computes its own block only.
namespace eh {

/// Shape, distribution and kind of a new array. The same on every rank.
struct NewArray {
  Shape shape;
  int split;  ///< kNoSplit or an axis in [0, ndim)
  at::ScalarType dtype;
  at::Device device;
  CommPtr comm;
};

/// Uninitialised. Local.
DNDarray empty(const NewArray& spec);
/// One value everywhere. Local.
DNDarray full(const NewArray& spec, const at::Scalar& value);
/// Ones in column i + k of row i. Local. @pre spec.shape has two axes
DNDarray eye(const NewArray& spec, std::int64_t k);

/// first, second, ... as NumPy's arange fills it: element i is first + i * (second - first), computed in the dtype
/// (float16 and bfloat16 in float32). Local. @pre spec.shape has one axis
DNDarray arange(const NewArray& spec, double first, double second);
/// The same for integers, computed in 64 bits.
DNDarray arange(const NewArray& spec, std::int64_t first, std::int64_t step);

/// start + i * step in double precision, as NumPy's linspace; `last`, if given, replaces the last element.
/// Integer dtypes get the floor. Local. @pre spec.shape has one axis
struct Line {
  double start;
  double delta;  ///< stop - start
  double div;    ///< number of steps
  std::optional<double> last;
};
DNDarray linspace(const NewArray& spec, const Line& line);

/// The chunk of a tensor that every rank has whole. Its own memory if `copy`, else a view where that is possible;
/// gradients flow back to the whole tensor (collective in backward only). Local.
DNDarray from_global(const at::Tensor& whole, int split, bool copy, const CommPtr& comm);

/// The array whose blocks along `split` the ranks bring, of any extent there; dtypes are promoted to a common one.
///
/// A rank without a block (its input was bad) makes the others fail too. A negative split counts from the end.
/// @throws ValueError on every rank, naming the shapes, unless the blocks agree off the split
/// Collective: one allgather of the shapes.
DNDarray from_blocks(const std::optional<at::Tensor>& block, int split, const CommPtr& comm);

}  // namespace eh
