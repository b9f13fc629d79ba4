// SPDX-License-Identifier: BSD-3-Clause
#include "comm/arguments.hpp"
#include "comm/impl.hpp"
#include "comm/large.hpp"

namespace eh {
namespace {

using Impl = Communicator::Impl;

int peer_of(int rank) { return rank < 0 ? MPI_PROC_NULL : rank; }

/// MPI_Recv without its status, so that it has the arguments of MPI_Irecv.
int receive(void* data, MpiCount count, MPI_Datatype type, int source, int tag, MPI_Comm comm) {
  return EH_LARGE(MPI_Recv)(data, count, type, source, tag, comm, MPI_STATUS_IGNORE);
}

void start_send(Flight& flight, const Impl& comm, const char* fn, ConstBuffer buffer, int dest, int tag) {
  check_buffer(fn, "buffer", buffer);
  check_peer(fn, "dest", dest, comm.size);
  check_tag(fn, tag);
  const Extent all = extent(flight, buffer.count, buffer.dtype);
  announce_message(flight, comm, [&] { return Call(CallKind::Send).of(buffer).at(dest); });
  flight.issue("MPI_Send", EH_LARGE(MPI_Send), EH_LARGE(MPI_Isend), flight.input(buffer), all.count, all.type,
               peer_of(dest), tag, comm.comm());
}

void start_recv(Flight& flight, const Impl& comm, const char* fn, Buffer buffer, int source, int tag) {
  check_buffer(fn, "buffer", buffer);
  check_peer(fn, "source", source, comm.size);
  check_tag(fn, tag);
  const Extent all = extent(flight, buffer.count, buffer.dtype);
  announce_message(flight, comm, [&] { return Call(CallKind::Recv).of(buffer).at(source); });
  // A message may be shorter than the buffer, whose end must then survive staging.
  flight.issue("MPI_Recv", receive, EH_LARGE(MPI_Irecv), flight.output(buffer, true), all.count, all.type,
               peer_of(source), tag, comm.comm());
}

}  // namespace

void Communicator::send(ConstBuffer buffer, int dest, int tag) const {
  run(*impl_, start_send, "send", buffer, dest, tag);
}
Request Communicator::isend(ConstBuffer buffer, int dest, int tag) const {
  return launch(*impl_, start_send, "isend", buffer, dest, tag);
}
void Communicator::recv(Buffer buffer, int source, int tag) const {
  run(*impl_, start_recv, "recv", buffer, source, tag);
}
Request Communicator::irecv(Buffer buffer, int source, int tag) const {
  return launch(*impl_, start_recv, "irecv", buffer, source, tag);
}

void Communicator::sendrecv(ConstBuffer send, int dest, Buffer recv, int source, int tag) const {
  check_buffer("sendrecv", "send", send);
  check_buffer("sendrecv", "recv", recv);
  check_disjoint("sendrecv", send, recv);
  check_peer("sendrecv", "dest", dest, size());
  check_peer("sendrecv", "source", source, size());
  check_tag("sendrecv", tag);
  Flight flight(Flight::Blocking);
  announce_message(flight, *impl_, [&] { return Call(CallKind::SendRecv).of(send).at(dest); });
  const Extent to = extent(flight, send.count, send.dtype);
  const Extent from = extent(flight, recv.count, recv.dtype);
  EH_MPI(EH_LARGE(MPI_Sendrecv)(flight.input(send), to.count, to.type, peer_of(dest), tag,
                                flight.output(recv, true), from.count, from.type, peer_of(source), tag,
                                impl_->comm(), MPI_STATUS_IGNORE));
  flight.complete();
}

}  // namespace eh
