// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "comm/arguments.hpp"
#include "comm/datatypes.hpp"
#include "comm/impl.hpp"
#include "comm/large.hpp"
#include "comm/node_collectives.hpp"
#include "comm/reduce_ops.hpp"

namespace eh {
namespace {

using Impl = Communicator::Impl;

bool same_memory(ConstBuffer send, ConstBuffer recv) { return send.count > 0 && send.data == recv.data; }

/// The two addresses of a reduction whose buffers are the same memory or have nothing in common.
struct Ends {
  const void* in;
  void* out;

  Ends(Flight& flight, ConstBuffer send, Buffer recv)
      : in(same_memory(send, recv) ? MPI_IN_PLACE : flight.input(send)),
        out(flight.output(recv, same_memory(send, recv))) {}
  const void* in_at(std::int64_t offset, DType dtype) const {
    return in == MPI_IN_PLACE ? in : advance(in, offset, dtype);
  }
};

/// Checks of the reductions in which every rank has two buffers of one size.
MPI_Op check_reduction(const char* fn, ConstBuffer send, ConstBuffer recv, ReduceOp op) {
  check_pair(fn, send, recv);
  check_count(fn, "recv", recv.count, send.count, "as many as send");
  if (!same_memory(send, recv)) check_disjoint(fn, send, recv);
  return mpi_op(fn, op, send.dtype);
}

/// The shape that MPI_Allreduce, MPI_Scan and MPI_Exscan share.
template <typename Blocking, typename NonBlocking>
void start_elementwise(Flight& flight, const Impl& comm, const char* name, Blocking blocking,
                       NonBlocking nonblocking, ConstBuffer send, Buffer recv, MPI_Op op) {
  const Ends ends(flight, send, recv);
  for_pieces(send.count, [&](std::int64_t offset, MpiCount n) {
    flight.issue(name, blocking, nonblocking, ends.in_at(offset, send.dtype),
                 advance(ends.out, offset, send.dtype), n, mpi_type(send.dtype), op, comm.comm());
  });
}

void start_allreduce(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, ReduceOp op) {
  const MPI_Op handle = check_reduction("allreduce", send, recv, op);
  announce(flight, comm, [&] { return Call(CallKind::Allreduce).of(send).with(op); });
  if (Node* node = node_for(flight, comm, bytes_of(send))) {
    const Ends ends(flight, send, recv);
    return node_allreduce(*node, ends.in == MPI_IN_PLACE ? ends.out : ends.in, ends.out, send.count,
                          send.dtype, op);
  }
  start_elementwise(flight, comm, "MPI_Allreduce", EH_LARGE(MPI_Allreduce), EH_LARGE(MPI_Iallreduce), send,
                    recv, handle);
}

void start_scan(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, ReduceOp op) {
  const MPI_Op handle = check_reduction("scan", send, recv, op);
  announce(flight, comm, [&] { return Call(CallKind::Scan).of(send).with(op); });
  start_elementwise(flight, comm, "MPI_Scan", EH_LARGE(MPI_Scan), EH_LARGE(MPI_Iscan), send, recv, handle);
}

void start_exscan(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, ReduceOp op) {
  const MPI_Op handle = check_reduction("exscan", send, recv, op);
  announce(flight, comm, [&] { return Call(CallKind::Exscan).of(send).with(op); });
  start_elementwise(flight, comm, "MPI_Exscan", EH_LARGE(MPI_Exscan), EH_LARGE(MPI_Iexscan), send, recv,
                    handle);
  // MPI leaves rank 0 undefined.
  if (comm.rank == 0) flight.on_completion([recv, op] { fill_identity(recv, op); });
}

/// Reduces one range of every rank's input to `root`, whose result goes to `out`.
void reduce_range(Flight& flight, const Impl& comm, const void* in, void* out, std::int64_t count,
                  DType dtype, MPI_Op op, int root) {
  for_pieces(count, [&](std::int64_t offset, MpiCount n) {
    const void* from = in == MPI_IN_PLACE ? in : advance(in, offset, dtype);
    flight.issue("MPI_Reduce", EH_LARGE(MPI_Reduce), EH_LARGE(MPI_Ireduce), from, advance(out, offset, dtype),
                 n, mpi_type(dtype), op, root, comm.comm());
  });
}

void start_reduce(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, ReduceOp op, int root) {
  check_root("reduce", root, comm.size);
  const bool is_root = comm.rank == root;
  // Only the root has a result: the others' recv is not looked at.
  if (!is_root) recv = {nullptr, 0, send.dtype};
  check_pair("reduce", send, recv);
  if (is_root) check_reduction("reduce", send, recv, op);
  const MPI_Op handle = mpi_op("reduce", op, send.dtype);
  announce(flight, comm, [&] { return Call(CallKind::Reduce).of(send).with(op).at(root); });
  const Ends ends(flight, send, recv);
  reduce_range(flight, comm, ends.in, ends.out, send.count, send.dtype, handle, root);
}

/// One reduction per rank, for a total that 32-bit counts do not hold.
void reduce_to_each(Flight& flight, const Impl& comm, const void* in, void* out, const Counts& counts,
                    DType dtype, MPI_Op op) {
  int root = 0;
  for (const Block& block : packed_blocks(counts)) {
    reduce_range(flight, comm, advance(in, block.offset, dtype), out, block.count, dtype, op, root++);
  }
}

/// A copy of `bytes` bytes that lives as long as the operation.
const void* copy_of(Flight& flight, const void* data, std::int64_t count, DType dtype) {
  auto& copy = flight.keep(std::vector<std::byte>(static_cast<std::size_t>(count) * size_of(dtype)));
  std::memcpy(copy.data(), data, copy.size());
  return copy.data();
}

MPI_Op check_reduce_scatter(const Impl& comm, ConstBuffer send, ConstBuffer recv, const Counts& counts,
                            ReduceOp op) {
  const char* const fn = "reduce_scatter";
  const std::int64_t total = check_counts(fn, "counts", counts, comm.size);
  check_pair(fn, send, recv);
  check_count(fn, "send", send.count, total, "the sum of counts");
  check_count(fn, "recv", recv.count, counts[static_cast<std::size_t>(comm.rank)], "counts[rank]");
  if (!same_memory(send, recv)) check_disjoint(fn, send, recv);
  return mpi_op(fn, op, send.dtype);
}

void start_reduce_scatter(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv,
                          const Counts& counts, ReduceOp op) {
  const MPI_Op handle = check_reduce_scatter(comm, send, recv, counts, op);
  announce(flight, comm, [&] { return Call(CallKind::ReduceScatter).of(send).with(counts).with(op); },
           {&counts});
  // In place MPI reads all of the input from the receive buffer, which is therefore as long as the input.
  const bool in_place = same_memory(send, recv);
  if (in_place) recv.count = send.count;
  const Ends ends(flight, send, recv);
  if (Node* node = node_for(flight, comm, bytes_of(send) / comm.size))
    return node_reduce_scatter(*node, in_place ? ends.out : ends.in, ends.out, counts, send.dtype, op);
  if (send.count > max_count()) {
    const void* in = in_place ? copy_of(flight, ends.out, send.count, send.dtype) : ends.in;
    return reduce_to_each(flight, comm, in, ends.out, counts, send.dtype, handle);
  }
  const Parts parts = packed_parts(flight, counts);
  flight.issue("MPI_Reduce_scatter", EH_LARGE(MPI_Reduce_scatter), EH_LARGE(MPI_Ireduce_scatter), ends.in,
               ends.out, parts.counts, mpi_type(send.dtype), handle, comm.comm());
}

}  // namespace

void Communicator::allreduce(ConstBuffer send, Buffer recv, ReduceOp op) const {
  run(*impl_, start_allreduce, send, recv, op);
}
Request Communicator::iallreduce(ConstBuffer send, Buffer recv, ReduceOp op) const {
  return launch(*impl_, start_allreduce, send, recv, op);
}
void Communicator::reduce(ConstBuffer send, Buffer recv, ReduceOp op, int root) const {
  run(*impl_, start_reduce, send, recv, op, root);
}
Request Communicator::ireduce(ConstBuffer send, Buffer recv, ReduceOp op, int root) const {
  return launch(*impl_, start_reduce, send, recv, op, root);
}
void Communicator::reduce_scatter(ConstBuffer send, Buffer recv, const Counts& counts, ReduceOp op) const {
  run(*impl_, start_reduce_scatter, send, recv, counts, op);
}
Request Communicator::ireduce_scatter(ConstBuffer send, Buffer recv, const Counts& counts,
                                      ReduceOp op) const {
  return launch(*impl_, start_reduce_scatter, send, recv, counts, op);
}
void Communicator::scan(ConstBuffer send, Buffer recv, ReduceOp op) const {
  run(*impl_, start_scan, send, recv, op);
}
Request Communicator::iscan(ConstBuffer send, Buffer recv, ReduceOp op) const {
  return launch(*impl_, start_scan, send, recv, op);
}
void Communicator::exscan(ConstBuffer send, Buffer recv, ReduceOp op) const {
  run(*impl_, start_exscan, send, recv, op);
}
Request Communicator::iexscan(ConstBuffer send, Buffer recv, ReduceOp op) const {
  return launch(*impl_, start_exscan, send, recv, op);
}

}  // namespace eh
