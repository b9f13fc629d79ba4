// SPDX-License-Identifier: BSD-3-Clause
#include "array/movers.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>
#include <ATen/ops/zeros_ops.h>

#include "array/tensor_comm.hpp"
#include "kernels/pages.hpp"
#include "layout/redistribution.hpp"

namespace eh::movers {
namespace {

at::Tensor zeros(const Shape& shape, const at::Tensor& like) {
  return at::_ops::zeros::call(c10::fromIntArrayRefSlow(sizes(shape)), like.scalar_type(), like.layout(),
                               like.device(), std::nullopt);
}

/// Bytes of a result whose first touch takes longer than its asking for large pages.
constexpr std::size_t kLarge = 16 << 20;

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

at::Tensor run(const at::Tensor& local, const Layout& to, const Redistribution& plan, const Layout& from,
               const Communicator& comm) {
  switch (plan.kind) {
    case Redistribution::Kind::Nothing:
      return local;
    case Redistribution::Kind::Slice:
      return local.narrow(to.split(), to.offset(comm.rank()), to.count(comm.rank()));
    case Redistribution::Kind::Gather:
      return allgather(local, from.split(), from.counts(), comm);
    case Redistribution::Kind::Exchange:
      break;
  }
  at::Tensor out = empty(to.lshape(comm.rank()), local);  // filled by the parts of all ranks
  exchange(views(local, plan.send_axis, plan.sends), views(out, plan.recv_axis, plan.recvs), false, local,
           comm);
  return out;
}

}  // namespace

at::Tensor empty(const Shape& shape, const at::Tensor& like) {
  at::Tensor out =
      at::_ops::empty_memory_format::call(c10::fromIntArrayRefSlow(sizes(shape)), like.scalar_type(),
                                          like.layout(), like.device(), std::nullopt, std::nullopt);
  if (out.is_cpu() && out.nbytes() >= kLarge)
    kernels::prefer_large_pages(out.mutable_data_ptr(), out.nbytes());
  return out;
}

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
  return run(local, to, plan_redistribution(from, to, comm.rank()), from, comm);
}

at::Tensor redistribute(const at::Tensor& local, const LayoutPtr& from, const LayoutPtr& to,
                        const Communicator& comm) {
  return run(local, *to, *redistribution_of(from, to, comm.rank()), *from, comm);
}

}  // namespace eh::movers
