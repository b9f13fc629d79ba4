// SPDX-License-Identifier: BSD-3-Clause
#include "comm/arguments.hpp"
#include "comm/datatypes.hpp"
#include "comm/impl.hpp"
#include "comm/large.hpp"
#include "comm/node_collectives.hpp"

namespace eh {
namespace {

using Impl = Communicator::Impl;

/// True if `part` is the memory of the element `offset` of `whole`: MPI wants to be told (MPI_IN_PLACE).
bool is_slot(ConstBuffer part, ConstBuffer whole, std::int64_t offset) {
  return part.count > 0 && whole.data != nullptr && part.data == advance(whole.data, offset, whole.dtype);
}

std::int64_t offset_of(const Counts& counts, int rank) {
  return packed_blocks(counts)[static_cast<std::size_t>(rank)].offset;
}

std::vector<ByteBlock> byte_blocks(const Counts& counts, DType dtype) {
  std::vector<ByteBlock> blocks;
  const auto item = static_cast<std::int64_t>(size_of(dtype));
  for (const Block& block : packed_blocks(counts))
    blocks.push_back({block.count * item, block.offset * item});
  return blocks;
}

std::int64_t own(const Counts& counts, int rank) { return counts[static_cast<std::size_t>(rank)]; }

void start_barrier(Flight& flight, const Impl& comm) {
  announce(flight, comm, [] { return Call(CallKind::Barrier); });
  flight.issue("MPI_Barrier", MPI_Barrier, MPI_Ibarrier, comm.comm());
}

void start_bcast(Flight& flight, const Impl& comm, Buffer buffer, int root) {
  check_buffer("bcast", "buffer", buffer);
  check_root("bcast", root, comm.size);
  announce(flight, comm, [&] { return Call(CallKind::Bcast).of(buffer).at(root); });
  const Extent all = extent(flight, buffer.count, buffer.dtype);
  void* data = comm.rank == root ? const_cast<void*>(flight.input(buffer)) : flight.output(buffer);
  if (Node* node = node_for(flight, comm, bytes_of(buffer)))
    return node_bcast(*node, data, bytes_of(buffer), root);
  flight.issue("MPI_Bcast", EH_LARGE(MPI_Bcast), EH_LARGE(MPI_Ibcast), data, all.count, all.type, root,
               comm.comm());
}

/// The addresses of a gather: the own part may already lie in its place. `whole` is empty where nothing is gathered.
struct Gathered {
  const void* in;
  void* out;
  void* slot;
  bool in_place;

  Gathered(Flight& flight, const char* fn, ConstBuffer part, Buffer whole, std::int64_t offset)
      : in_place(is_slot(part, whole, offset)) {
    if (!in_place) check_disjoint(fn, part, whole);
    in = in_place ? MPI_IN_PLACE : flight.input(part);
    out = flight.output(whole, in_place);
    slot = static_cast<std::byte*>(out) + offset * static_cast<std::int64_t>(size_of(whole.dtype));
  }
  /// Address of the own part, wherever it lies.
  const void* part() const { return in_place ? slot : in; }
};

void start_allgather(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv) {
  check_pair("allgather", send, recv);
  check_count("allgather", "recv", recv.count, send.count * comm.size,
              "send's count times the number of ranks");
  announce(flight, comm, [&] { return Call(CallKind::Allgather).of(send); });
  const Gathered ends(flight, "allgather", send, recv, send.count * comm.rank);
  if (Node* node = node_for(flight, comm, bytes_of(send))) {
    const Counts counts(static_cast<std::size_t>(comm.size), send.count);
    return node_allgather(*node, ends.part(), ends.out, byte_blocks(counts, send.dtype));
  }
  const Extent part = extent(flight, send.count, send.dtype);
  flight.issue("MPI_Allgather", EH_LARGE(MPI_Allgather), EH_LARGE(MPI_Iallgather), ends.in, part.count,
               part.type, ends.out, part.count, part.type, comm.comm());
}

/// Every rank's part to the root, or with root < 0 to all ranks, for a total that 32-bit counts do not hold.
void gather_blocks(Flight& flight, const Impl& comm, const Gathered& ends, const Counts& counts, DType dtype,
                   int root) {
  const auto rank = static_cast<std::size_t>(comm.rank);
  const bool to_all = root < 0;
  Block part{counts[rank], 0};
  const void* in = ends.in;
  if (ends.in_place) {
    // Addressed from its end: Open MPI takes equal addresses of the two buffers for MPI_IN_PLACE.
    in = advance(ends.out, offset_of(counts, comm.rank) + part.count, dtype);
    part.offset = -part.count;
  }
  Blocks sends(counts.size(), to_all ? part : Block{});
  if (!to_all) sends[static_cast<std::size_t>(root)] = part;
  Blocks recvs = to_all || root == comm.rank ? packed_blocks(counts) : Blocks(counts.size());
  if (ends.in_place) sends[rank].count = recvs[rank].count = 0;
  exchange_blocks(flight, comm.comm(), in, sends, ends.out, recvs, dtype);
}

void start_allgatherv(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, const Counts& counts) {
  const std::int64_t total = check_counts("allgatherv", "counts", counts, comm.size);
  check_pair("allgatherv", send, recv);
  check_count("allgatherv", "send", send.count, own(counts, comm.rank), "counts[rank]");
  check_count("allgatherv", "recv", recv.count, total, "the sum of counts");
  announce(flight, comm, [&] { return Call(CallKind::Allgatherv).of(send).with(counts); }, {&counts});
  const Gathered ends(flight, "allgatherv", send, recv, offset_of(counts, comm.rank));
  if (Node* node = node_for(flight, comm, bytes_of(recv) / comm.size))
    return node_allgather(*node, ends.part(), ends.out, byte_blocks(counts, send.dtype));
  if (total > max_count()) return gather_blocks(flight, comm, ends, counts, send.dtype, -1);
  const Parts parts = packed_parts(flight, counts);
  const MPI_Datatype type = mpi_type(send.dtype);
  flight.issue("MPI_Allgatherv", EH_LARGE(MPI_Allgatherv), EH_LARGE(MPI_Iallgatherv), ends.in,
               static_cast<MpiCount>(send.count), type, ends.out, parts.counts, parts.displacements, type,
               comm.comm());
}

void start_gather(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, int root) {
  check_root("gather", root, comm.size);
  // Only the root receives: the others' recv is not looked at.
  if (comm.rank != root) recv = {nullptr, 0, send.dtype};
  check_pair("gather", send, recv);
  if (comm.rank == root) {
    check_count("gather", "recv", recv.count, send.count * comm.size,
                "send's count times the number of ranks");
  }
  announce(flight, comm, [&] { return Call(CallKind::Gather).of(send).at(root); });
  const Gathered ends(flight, "gather", send, recv, send.count * comm.rank);
  const Extent part = extent(flight, send.count, send.dtype);
  flight.issue("MPI_Gather", EH_LARGE(MPI_Gather), EH_LARGE(MPI_Igather), ends.in, part.count, part.type,
               ends.out, part.count, part.type, root, comm.comm());
}

void start_gatherv(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, const Counts& counts,
                   int root) {
  check_root("gatherv", root, comm.size);
  const std::int64_t total = check_counts("gatherv", "counts", counts, comm.size);
  if (comm.rank != root) recv = {nullptr, 0, send.dtype};
  check_pair("gatherv", send, recv);
  check_count("gatherv", "send", send.count, own(counts, comm.rank), "counts[rank]");
  if (comm.rank == root) check_count("gatherv", "recv", recv.count, total, "the sum of counts");
  announce(flight, comm, [&] { return Call(CallKind::Gatherv).of(send).with(counts).at(root); }, {&counts});
  const Gathered ends(flight, "gatherv", send, recv, offset_of(counts, comm.rank));
  if (total > max_count()) return gather_blocks(flight, comm, ends, counts, send.dtype, root);
  const Parts parts = packed_parts(flight, counts);
  const MPI_Datatype type = mpi_type(send.dtype);
  flight.issue("MPI_Gatherv", EH_LARGE(MPI_Gatherv), EH_LARGE(MPI_Igatherv), ends.in,
               static_cast<MpiCount>(send.count), type, ends.out, parts.counts, parts.displacements, type,
               root, comm.comm());
}

}  // namespace

void Communicator::barrier() const { run(*impl_, start_barrier); }
Request Communicator::ibarrier() const { return launch(*impl_, start_barrier); }

void Communicator::bcast(Buffer buffer, int root) const { run(*impl_, start_bcast, buffer, root); }
Request Communicator::ibcast(Buffer buffer, int root) const {
  return launch(*impl_, start_bcast, buffer, root);
}

void Communicator::allgather(ConstBuffer send, Buffer recv) const {
  run(*impl_, start_allgather, send, recv);
}
Request Communicator::iallgather(ConstBuffer send, Buffer recv) const {
  return launch(*impl_, start_allgather, send, recv);
}
void Communicator::allgatherv(ConstBuffer send, Buffer recv, const Counts& counts) const {
  run(*impl_, start_allgatherv, send, recv, counts);
}
Request Communicator::iallgatherv(ConstBuffer send, Buffer recv, const Counts& counts) const {
  return launch(*impl_, start_allgatherv, send, recv, counts);
}
void Communicator::gather(ConstBuffer send, Buffer recv, int root) const {
  run(*impl_, start_gather, send, recv, root);
}
Request Communicator::igather(ConstBuffer send, Buffer recv, int root) const {
  return launch(*impl_, start_gather, send, recv, root);
}
void Communicator::gatherv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const {
  run(*impl_, start_gatherv, send, recv, counts, root);
}
Request Communicator::igatherv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const {
  return launch(*impl_, start_gatherv, send, recv, counts, root);
}

}  // namespace eh
