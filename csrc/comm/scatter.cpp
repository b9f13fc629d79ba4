// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.hpp"
#include "comm/arguments.hpp"
#include "comm/datatypes.hpp"
#include "comm/impl.hpp"
#include "comm/large.hpp"
#include "comm/message_exchange.hpp"
#include "comm/node_collectives.hpp"
#include "kernels/copy.hpp"
#include "kernels/large_copies.hpp"

namespace eh {
namespace {

using Impl = Communicator::Impl;

/// The addresses of a scatter: the root's own part may stay where it is.
struct Scattered {
  const void* in;
  void* out;
  bool in_place;

  Scattered(Flight& flight, const char* fn, ConstBuffer whole, Buffer part, std::int64_t offset)
      : in_place(part.count > 0 && whole.data != nullptr &&
                 part.data == advance(whole.data, offset, whole.dtype)) {
    if (!in_place) check_disjoint(fn, whole, part);
    in = flight.input(whole);
    out = in_place ? MPI_IN_PLACE : flight.output(part);
  }
};

void start_scatter(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, int root) {
  check_root("scatter", root, comm.size);
  // Only the root sends: the others' send is not looked at.
  if (comm.rank != root) send = {nullptr, 0, recv.dtype};
  check_pair("scatter", send, recv);
  if (comm.rank == root) {
    check_count("scatter", "send", send.count, recv.count * comm.size,
                "recv's count times the number of ranks");
  }
  announce(flight, comm, [&] { return Call(CallKind::Scatter).of(recv).at(root); });
  const Scattered ends(flight, "scatter", send, recv, recv.count * comm.rank);
  const Extent part = extent(flight, recv.count, recv.dtype);
  flight.issue("MPI_Scatter", EH_LARGE(MPI_Scatter), EH_LARGE(MPI_Iscatter), ends.in, part.count, part.type,
               ends.out, part.count, part.type, root, comm.comm());
}

/// The root's parts by messages of derived types.
void scatter_blocks(Flight& flight, const Impl& comm, const Scattered& ends, const Counts& counts,
                    DType dtype, int root) {
  const auto rank = static_cast<std::size_t>(comm.rank);
  Blocks sends = comm.rank == root ? packed_blocks(counts) : Blocks(counts.size());
  Blocks recvs(counts.size());
  recvs[static_cast<std::size_t>(root)].count = counts[rank];
  if (ends.in_place) sends[rank].count = recvs[rank].count = 0;
  void* out = ends.in_place ? flight.output({nullptr, 0, dtype}) : ends.out;
  exchange_blocks(flight, comm.comm(), ends.in, sends, out, recvs, dtype);
}

void start_scatterv(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv, const Counts& counts,
                    int root) {
  check_root("scatterv", root, comm.size);
  const std::int64_t total = check_counts("scatterv", "counts", counts, comm.size);
  if (comm.rank != root) send = {nullptr, 0, recv.dtype};
  check_pair("scatterv", send, recv);
  check_count("scatterv", "recv", recv.count, counts[static_cast<std::size_t>(comm.rank)], "counts[rank]");
  if (comm.rank == root) check_count("scatterv", "send", send.count, total, "the sum of counts");
  announce(flight, comm, [&] { return Call(CallKind::Scatterv).of(recv).with(counts).at(root); }, {&counts});
  const auto offset = packed_blocks(counts)[static_cast<std::size_t>(comm.rank)].offset;
  const Scattered ends(flight, "scatterv", send, recv, offset);
  if (total > max_count()) return scatter_blocks(flight, comm, ends, counts, recv.dtype, root);
  const Parts parts = packed_parts(flight, counts);
  const MPI_Datatype type = mpi_type(recv.dtype);
  flight.issue("MPI_Scatterv", EH_LARGE(MPI_Scatterv), EH_LARGE(MPI_Iscatterv), ends.in, parts.counts,
               parts.displacements, type, ends.out, static_cast<MpiCount>(recv.count), type, root,
               comm.comm());
}

/// Consecutive parts of contiguous memory, one for each rank.
std::vector<Stream> streams(const void* data, const Counts& counts, DType dtype) {
  const auto item = static_cast<std::int64_t>(size_of(dtype));
  auto* memory = static_cast<std::byte*>(const_cast<void*>(data));
  std::vector<Stream> parts;
  for (const Block& block : packed_blocks(counts))
    parts.push_back({StridedView(memory + block.offset * item, block.count * item)});
  return parts;
}

/// This rank's part to itself. Its length is the receiver's word: MPI would report another one of the sender.
void copy_own(const StridedView& to, const std::byte* from, std::int64_t bytes, std::int64_t all) {
  if (bytes == 0) return;
  kernels::copy_part_of(
      static_cast<std::size_t>(all), static_cast<std::size_t>(bytes), [&](bool past_caches) {
        to.unpack(0, bytes, from, past_caches ? kernels::stream_bytes : kernels::copy_bytes);
      });
}

void exchange_through(Node& node, const void* in, const Counts& sends, void* out, const Counts& recvs,
                      DType dtype) {
  const auto me = static_cast<std::size_t>(node.rank());
  const auto item = static_cast<std::int64_t>(size_of(dtype));
  const auto to = streams(out, recvs, dtype);
  const std::byte* own = static_cast<const std::byte*>(in) + packed_blocks(sends)[me].offset * item;
  const std::int64_t bytes = std::min(sends[me], recvs[me]) * item;
  const std::int64_t all = std::accumulate(recvs.begin(), recvs.end(), std::int64_t{0}) * item;
  node_exchange(node, streams(in, sends, dtype), to, [&] { copy_own(to[me].front(), own, bytes, all); });
}

void start_alltoall(Flight& flight, const Impl& comm, ConstBuffer send, Buffer recv) {
  check_pair("alltoall", send, recv);
  check_count("alltoall", "recv", recv.count, send.count, "as many as send");
  EH_CHECK(send.count % comm.size == 0, ValueError, "alltoall: send has ", send.count,
           " elements; it must have a multiple of the ", comm.size, " ranks");
  check_disjoint("alltoall", send, recv);
  announce(flight, comm, [&] { return Call(CallKind::Alltoall).of(send); });
  if (Node* node = node_for(flight, comm, bytes_of(send) / comm.size)) {
    const Counts counts(static_cast<std::size_t>(comm.size), send.count / comm.size);
    return exchange_through(*node, flight.input(send), counts, flight.output(recv), counts, send.dtype);
  }
  const Extent part = extent(flight, send.count / comm.size, send.dtype);
  flight.issue("MPI_Alltoall", EH_LARGE(MPI_Alltoall), EH_LARGE(MPI_Ialltoall), flight.input(send),
               part.count, part.type, flight.output(recv), part.count, part.type, comm.comm());
}

/// A rank's part to itself, copied here: MPICH 5 sends itself large messages thirty times slower than to others.
/// The counts left for MPI have no such part, the displacements stay. A mismatch is left to MPI.
void copy_own_part(const Impl& comm, const void* in, Blocks& sends, void* out, Blocks& recvs, DType dtype) {
  Block& from = sends[static_cast<std::size_t>(comm.rank)];
  Block& to = recvs[static_cast<std::size_t>(comm.rank)];
  if (from.count != to.count || from.count == 0) return;
  const std::size_t bytes = size_of(dtype);
  std::memcpy(static_cast<std::byte*>(out) + static_cast<std::size_t>(to.offset) * bytes,
              static_cast<const std::byte*>(in) + static_cast<std::size_t>(from.offset) * bytes,
              static_cast<std::size_t>(from.count) * bytes);
  from.count = 0;
  to.count = 0;
}

void start_alltoallv(Flight& flight, const Impl& comm, ConstBuffer send, const Counts& send_counts,
                     Buffer recv, const Counts& recv_counts) {
  const std::int64_t sent = check_counts("alltoallv", "send_counts", send_counts, comm.size);
  const std::int64_t received = check_counts("alltoallv", "recv_counts", recv_counts, comm.size);
  check_pair("alltoallv", send, recv);
  check_count("alltoallv", "send", send.count, sent, "the sum of send_counts");
  check_count("alltoallv", "recv", recv.count, received, "the sum of recv_counts");
  check_disjoint("alltoallv", send, recv);
  announce(flight, comm, [&] { return Call(CallKind::Alltoallv).typed(send.dtype); },
           {&send_counts, &recv_counts});
  const void* in = flight.input(send);
  void* out = flight.output(recv);
  // Others may send more or less than this rank: what is common to all is only that they share memory.
  if (flight.is_blocking() && comm.node != nullptr)
    return exchange_through(*comm.node, in, send_counts, out, recv_counts, send.dtype);
  Blocks sends = packed_blocks(send_counts);
  Blocks recvs = packed_blocks(recv_counts);
  copy_own_part(comm, in, sends, out, recvs, send.dtype);
  // One rank's counts may need 64 bits where another's do not, and all must call the same function.
  if constexpr (!kLargeCounts) return exchange_blocks(flight, comm.comm(), in, sends, out, recvs, send.dtype);
  const Parts to = parts_of(flight, sends);
  const Parts from = parts_of(flight, recvs);
  const MPI_Datatype type = mpi_type(send.dtype);
  flight.issue("MPI_Alltoallv", EH_LARGE(MPI_Alltoallv), EH_LARGE(MPI_Ialltoallv), in, to.counts,
               to.displacements, type, out, from.counts, from.displacements, type, comm.comm());
}

}  // namespace

void Communicator::scatter(ConstBuffer send, Buffer recv, int root) const {
  run(*impl_, start_scatter, send, recv, root);
}
Request Communicator::iscatter(ConstBuffer send, Buffer recv, int root) const {
  return launch(*impl_, start_scatter, send, recv, root);
}
void Communicator::scatterv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const {
  run(*impl_, start_scatterv, send, recv, counts, root);
}
Request Communicator::iscatterv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const {
  return launch(*impl_, start_scatterv, send, recv, counts, root);
}
void Communicator::alltoall(ConstBuffer send, Buffer recv) const { run(*impl_, start_alltoall, send, recv); }
Request Communicator::ialltoall(ConstBuffer send, Buffer recv) const {
  return launch(*impl_, start_alltoall, send, recv);
}
void Communicator::alltoallv(ConstBuffer send, const Counts& send_counts, Buffer recv,
                             const Counts& recv_counts) const {
  run(*impl_, start_alltoallv, send, send_counts, recv, recv_counts);
}
bool Communicator::shares_memory() const { return impl_->node != nullptr; }
void Communicator::alltoallv_views(const std::vector<Stream>& sends, const std::vector<Stream>& recvs,
                                   DType dtype) const {
  const auto counts_of = [&](const std::vector<Stream>& streams) {
    Counts counts;
    for (const Stream& stream : streams) {
      std::int64_t bytes = 0;
      for (const StridedView& view : stream) bytes += view.bytes();
      counts.push_back(bytes / static_cast<std::int64_t>(size_of(dtype)));
    }
    return counts;
  };
  Flight flight(Flight::Blocking);
  const Counts sent = counts_of(sends);
  const Counts received = counts_of(recvs);
  check_counts("alltoallv_views", "sends", sent, size());
  check_counts("alltoallv_views", "recvs", received, size());
  announce(flight, *impl_, [&] { return Call(CallKind::Alltoallv).typed(dtype); }, {&sent, &received});
  if (impl_->node != nullptr)
    node_exchange(*impl_->node, sends, recvs);
  else
    message_exchange(impl_->comm(), sends, recvs);
  flight.complete();
}
Request Communicator::ialltoallv(ConstBuffer send, const Counts& send_counts, Buffer recv,
                                 const Counts& recv_counts) const {
  return launch(*impl_, start_alltoallv, send, send_counts, recv, recv_counts);
}

}  // namespace eh
