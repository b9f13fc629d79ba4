// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

/// Matrix products of distributed blocks under a prescribed layout of the result.
///
/// The product is a loop nest over batch axes, m, n and k; a has (batch, m, k), b (batch, k, n), c (batch, m, n).
/// A batch axis of extent 1 in a or b is broadcast, one of extent 1 in c is summed over like k. That makes the
/// family closed under its adjoints: da = dc b^H and db = a^H dc are contractions again.
namespace eh {

/// Layouts of the operands and of the result, padded with leading extents 1 to the same number of axes (>= 2).
struct Contraction {
  LayoutPtr a;
  LayoutPtr b;
  LayoutPtr c;
};

/// at::matmul, but a row times a column is a dot product: torch's matrix product is many times slower there.
at::Tensor block_product(const at::Tensor& a, const at::Tensor& b);

/// The block of c under spec.c. Collective; differentiable in both operands, also twice.
///
/// Cost per rank (elements received; p ranks), the cheapest that applies:
/// * the split of one operand is not in the other, or both share a batch split: none;
/// * k is split in an operand: |c| (each rank's partial products travel round the ring and are added up; a small c by
///   one reduce_scatter), no rank holds more of c than three blocks unless c is replicated (one allreduce);
/// * two different splits: the smaller of circulating one operand (|a| or |b|, two blocks held at a time) and of
///   moving one to the split of the other (|a| / p or |b| / p, and |c| where k is then split).
/// @pre both operands have the same dtype, one that torch multiplies
at::Tensor contract(const at::Tensor& a, const at::Tensor& b, const Contraction& spec, const CommPtr& comm);

/// The same without gradients.
at::Tensor contract_blocks(const at::Tensor& a, const at::Tensor& b, const Contraction& spec,
                           const CommPtr& comm);

/// `value`, with the derivative of `expression`: for results whose differential is a simple linear expression of the
/// input's, the factors of a decomposition. `fn` names the function whose second derivative would be wrong, since what
/// depends on the input was held constant: asked for it, NotSupported is thrown. Empty: nothing was.
at::Tensor gradient_through(const at::Tensor& value, const at::Tensor& expression, const std::string& fn);

}  // namespace eh
