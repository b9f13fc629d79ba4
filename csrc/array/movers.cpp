// SPDX-License-Identifier: BSD-3-Clause
#include "array/movers.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>
#include <ATen/ops/zeros_ops.h>

#include "array/tensor_comm.hpp"

namespace eh::movers {
namespace {

at::Tensor zeros(const Shape& shape, const at::Tensor& like) {
  return at::_ops::zeros::call(c10::fromIntArrayRefSlow(sizes(shape)), like.scalar_type(), like.layout(),
                               like.device(), std::nullopt);
}

at::Tensor empty(const Shape& shape, const at::Tensor& like) {
  return at::_ops::empty_memory_format::call(c10::fromIntArrayRefSlow(sizes(shape)), like.scalar_type(),
                                             like.layout(), like.device(), std::nullopt, std::nullopt);
}

/// Whether the transfers fill all rows of a block: none of them is written twice.
bool fills(const std::vector<Transfer>& transfers, std::int64_t rows) {
  for (const Transfer& t : transfers) rows -= t.length;
  return rows == 0;
}

std::vector<Part> views(const at::Tensor& local, int axis, const std::vector<Transfer>& transfers) {
  std::vector<Part> parts;
  for (const Transfer& t : transfers) parts.push_back({t.peer, local.narrow(axis, t.begin, t.length)});
  return parts;
}

/// Block transposition: what a rank owns along both axes goes to the owner along the new one.
at::Tensor exchange_axes(const at::Tensor& local, const Layout& from, const Layout& to,
                         const Communicator& comm) {
  at::Tensor out = empty(to.lshape(comm.rank()), local);  // filled by the parts of all ranks
  std::vector<Part> sends;
  std::vector<Part> recvs;
  for (int peer = 0; peer < comm.size(); ++peer) {
    sends.push_back({peer, local.narrow(to.split(), to.offset(peer), to.count(peer))});
    recvs.push_back({peer, out.narrow(from.split(), from.offset(peer), from.count(peer))});
  }
  exchange(sends, recvs, false, local, comm);
  return out;
}

}  // namespace

at::Tensor move_rows(const at::Tensor& local, int axis, const std::vector<std::int64_t>& from,
                     const std::vector<std::int64_t>& to, const std::vector<Move>& moves, bool reverse,
                     const Communicator& comm) {
  const MovePlan plan = plan_moves(from, to, moves, comm.rank());
  Shape shape = shape_of(local);
  shape[static_cast<std::size_t>(axis)] = (reverse ? from : to)[static_cast<std::size_t>(comm.rank())];
  const bool all_written = !reverse && fills(plan.recvs, shape[static_cast<std::size_t>(axis)]);
  at::Tensor out = all_written ? empty(shape, local) : zeros(shape, local);
  if (reverse)
    exchange(views(local, axis, plan.recvs), views(out, axis, plan.sends), true, local, comm);
  else
    exchange(views(local, axis, plan.sends), views(out, axis, plan.recvs), false, local, comm);
  return out;
}

at::Tensor redistribute(const at::Tensor& local, const Layout& from, const Layout& to,
                        const Communicator& comm) {
  if (from.same_distribution(to)) return local;
  if (!from.is_split()) return local.narrow(to.split(), to.offset(comm.rank()), to.count(comm.rank()));
  if (!to.is_split()) return allgather(local, from.split(), from.counts(), comm);
  if (from.split() != to.split()) return exchange_axes(local, from, to, comm);
  const std::int64_t extent = from.gshape()[static_cast<std::size_t>(from.split())];
  return move_rows(local, from.split(), from.counts(), to.counts(), identity_moves(extent), false, comm);
}

}  // namespace eh::movers
