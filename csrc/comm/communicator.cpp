// SPDX-License-Identifier: BSD-3-Clause
#include "comm/communicator.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "base/error.hpp"
#include "comm/impl.hpp"
#include "comm/leaving.hpp"

namespace eh {
namespace {

void check_mpi_is_running(const char* fn) {
  EH_CHECK(mpi_initialized(), CommError, fn,
           ": MPI is not initialised; import mpi4py.MPI or call MPI_Init_thread first");
  EH_CHECK(!mpi_finalized(), CommError, fn, ": MPI is finalized; no communicator can be made any more");
}

std::shared_ptr<Communicator> own(MPI_Comm comm, const Settings& agreed) {
  return std::make_shared<Communicator>(std::make_unique<Communicator::Impl>(comm, agreed));
}

std::shared_ptr<Communicator> duplicate(MPI_Comm comm, const Settings& agreed) {
  MPI_Comm copy = MPI_COMM_NULL;
  EH_MPI(MPI_Comm_dup(comm, &copy));
  return own(copy, agreed);
}

/// A number no other communicator of this process has, and rank 0's on all ranks.
std::uint64_t new_id(MPI_Comm comm) {
  static std::atomic<std::uint32_t> made{0};
  int rank = 0;
  EH_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  std::uint64_t id = static_cast<std::uint64_t>(rank) << 32 | ++made;
  EH_MPI(MPI_Bcast(&id, 1, MPI_UINT64_T, 0, comm));
  return id;
}

Span span_on(const Communicator::Impl& comm, const Call& call, Guard::PerRank counts) {
  std::int64_t elements = std::max<std::int64_t>(call.count, 0);
  const bool is_part = call.kind == CallKind::Allgatherv || call.kind == CallKind::Gatherv;
  if (counts.sends != nullptr && is_part)
    elements = (*counts.sends)[static_cast<std::size_t>(comm.rank)];
  else if (counts.sends != nullptr)
    elements = std::accumulate(counts.sends->begin(), counts.sends->end(), std::int64_t{0});
  const auto item = call.dtype < 0 ? 0 : static_cast<std::int64_t>(size_of(static_cast<DType>(call.dtype)));
  Span span = span_of(call, elements * item);
  span.comm = comm.id;
  span.ranks = comm.size;
  if (call.kind < CallKind::Send) span.number = comm.traced++;
  return span;
}

}  // namespace

Settings agree_on_settings(MPI_Comm comm) {
  const Settings& mine = settings();
  std::int64_t values[] = {mine.check, mine.shared_memory, mine.pull, -mine.shm_least};
  EH_MPI(MPI_Allreduce(MPI_IN_PLACE, values, 4, MPI_INT64_T, MPI_MIN, comm));
  return {values[0] != 0, values[1] != 0, values[2], -values[3]};
}

Communicator::Impl::Impl(MPI_Comm owned, const Settings& agreed) : handle(owned), settings(agreed) {
  EH_MPI(MPI_Comm_rank(owned, &rank));
  EH_MPI(MPI_Comm_size(owned, &size));
  id = new_id(owned);
  if (size > 1 && settings.shared_memory) node = Node::make(owned, settings.pull);
  if (node != nullptr) count_collectives(node);
  if (size > 1 && settings.check) {
    guard = Guard::make(owned, node.get());
    record_calls();
  }
}

void announce_call(Flight& flight, const Communicator::Impl& comm, Call call, Guard::PerRank counts) {
  call.nonblocking = flight.is_blocking() ? 0 : 1;
  if (tracing) flight.trace(span_on(comm, call, counts));
  if (comm.guard == nullptr && !calls_recorded) return;
  flight.mark(call);
  if (comm.guard == nullptr || call.kind >= CallKind::Send) return;
  const Guard::Ticket ticket = comm.guard->publish(call, counts);
  if (flight.is_blocking()) return comm.guard->check(ticket);
  const auto wait = [guard = comm.guard, node = comm.node, ticket] { guard->check(ticket); };
  const auto ready = [guard = comm.guard, node = comm.node, ticket] { return guard->ready(ticket); };
  flight.compare_later({wait, ready});
}

Communicator::Communicator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Communicator::~Communicator() = default;

std::shared_ptr<Communicator> Communicator::from_fortran(int handle) {
  check_mpi_is_running("from_fortran");
  const MPI_Comm comm = MPI_Comm_f2c(handle);
  EH_CHECK(comm != MPI_COMM_NULL, ValueError, "from_fortran: handle ", handle,
           " is the null communicator; a communicator this rank belongs to is needed");
  int between_groups = 0;
  EH_MPI(MPI_Comm_test_inter(comm, &between_groups));
  EH_CHECK(!between_groups, ValueError, "from_fortran: handle ", handle,
           " is an intercommunicator; merge it to an intracommunicator first");
  return duplicate(comm, agree_on_settings(comm));
}

std::shared_ptr<Communicator> Communicator::world() {
  check_mpi_is_running("world");
  return duplicate(MPI_COMM_WORLD, agree_on_settings(MPI_COMM_WORLD));
}

std::shared_ptr<Communicator> Communicator::self() {
  check_mpi_is_running("self");
  return duplicate(MPI_COMM_SELF, settings());
}

int Communicator::rank() const { return impl_->rank; }
int Communicator::size() const { return impl_->size; }
int Communicator::fortran_handle() const { return static_cast<int>(MPI_Comm_c2f(impl_->comm())); }

std::shared_ptr<Communicator> Communicator::dup() const {
  Flight flight(Flight::Blocking);
  announce(flight, *impl_, [] { return Call(CallKind::Dup); });
  return duplicate(impl_->comm(), impl_->settings);
}

std::shared_ptr<Communicator> Communicator::split(int color, int key) const {
  Flight flight(Flight::Blocking);
  announce(flight, *impl_, [] { return Call(CallKind::Split); });
  MPI_Comm part = MPI_COMM_NULL;
  EH_MPI(MPI_Comm_split(impl_->comm(), color < 0 ? MPI_UNDEFINED : color, key, &part));
  return part == MPI_COMM_NULL ? nullptr : own(part, impl_->settings);
}

}  // namespace eh
