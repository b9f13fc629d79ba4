// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "base/dtype.hpp"
#include "comm/communicator.hpp"

/// The communicator's collectives on tensors: any dtype, any strides, no gradient (see autograd.hpp for that).
namespace eh {

DType dtype_of(at::ScalarType type);
at::ScalarType scalar_type_of(DType dtype);
/// @pre the tensor is contiguous
ConstBuffer const_buffer(const at::Tensor& tensor);
Buffer buffer(const at::Tensor& tensor);

/// New tensor of the same shape on every rank. Collective.
at::Tensor allreduce(const at::Tensor& tensor, ReduceOp op, const Communicator& comm);
/// Reduction over the ranks before this one; the identity on rank 0. Collective.
at::Tensor exscan(const at::Tensor& tensor, ReduceOp op, const Communicator& comm);
/// Blocks of all ranks behind one another along `axis`; `counts` are their extents there. Collective.
at::Tensor allgather(const at::Tensor& tensor, int axis, const Counts& counts, const Communicator& comm);
/// One value of every rank, in rank order. Collective.
std::vector<std::int64_t> allgather_int(std::int64_t value, const Communicator& comm);
/// In place, also on strided tensors. Collective.
void bcast(const at::Tensor& tensor, int root, const Communicator& comm);

/// A view to send to, or to receive from, one rank.
struct Part {
  int peer;
  at::Tensor view;
};
/// Sends every view of `sends` to its peer and fills the views of `recvs` (adding to what is there when
/// `accumulate`). Parts are ordered by peer; the parts between two ranks match in order and size.
/// One alltoallv, of the views piece by piece in host memory, of packed buffers when accumulating or on a device; a
/// rank's parts to itself are copied directly. Collective.
void exchange(const std::vector<Part>& sends, const std::vector<Part>& recvs, bool accumulate,
              const at::Tensor& like, const Communicator& comm);

}  // namespace eh
