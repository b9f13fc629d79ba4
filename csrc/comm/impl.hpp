// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>

#include "comm/communicator.hpp"
#include "comm/flight.hpp"
#include "comm/guard.hpp"
#include "comm/lifetime.hpp"
#include "comm/node.hpp"
#include "comm/settings.hpp"

namespace eh {

struct Communicator::Impl {
  /// Collective. `agreed` is the same on all ranks.
  Impl(MPI_Comm owned, const Settings& agreed);
  MPI_Comm comm() const { return handle.get(); }

  CommHandle handle;
  Settings settings;
  int rank = 0;
  int size = 1;
  bool polite = false;   ///< see comm/groups.hpp
  std::uint64_t id = 0;  ///< the same on all ranks, and no other communicator's of them
  mutable std::atomic<std::int64_t> traced{0};  ///< collectives recorded
  std::shared_ptr<Node> node;                   ///< null where the ranks share no memory
  std::shared_ptr<Guard> guard;                 ///< null unless in checked mode
};

/// The window through which ranks exchange `bytes` bytes each, or null where MPI does it. `bytes` is the same on all
/// ranks.
inline Node* node_for(const Flight& flight, const Communicator::Impl& comm, std::int64_t bytes) {
  return flight.is_blocking() && bytes >= comm.settings.shm_least ? comm.node.get() : nullptr;
}

/// The environment may differ between ranks: what not all of them have set, none has. Collective.
Settings agree_on_settings(MPI_Comm comm);

/// See announce().
void announce_call(Flight& flight, const Communicator::Impl& comm, Call call, Guard::PerRank counts);

/// Says what is about to happen: to the other ranks in checked mode, which compare it with their own calls, and to the
/// watchdog. Stands behind the checks of arguments and before the first message. `describe` gives a Call.
template <typename Describe>
void announce_message(Flight& flight, const Communicator::Impl& comm, Describe describe,
                      Guard::PerRank counts = {}) {
  if (comm.guard != nullptr || calls_recorded.load(std::memory_order_relaxed) ||
      tracing.load(std::memory_order_relaxed))
    announce_call(flight, comm, describe(), counts);
}

/// The same of a collective, which is counted for ranks that have left (leaving.hpp).
template <typename Describe>
void announce(Flight& flight, const Communicator::Impl& comm, Describe describe, Guard::PerRank counts = {}) {
  if (comm.node != nullptr) comm.node->enter();
  announce_message(flight, comm, describe, counts);
}

/// Runs a `start_*` function to its end.
template <typename Start, typename... Args>
void run(const Communicator::Impl& comm, Start start, const Args&... args) {
  Flight flight(Flight::Blocking, comm.polite);
  start(flight, comm, args...);
  flight.complete();
}

/// Starts what a `start_*` function describes and hands it to the caller.
template <typename Start, typename... Args>
Request launch(const Communicator::Impl& comm, Start start, const Args&... args) {
  Flight flight(Flight::NonBlocking);
  start(flight, comm, args...);
  return flight.request();
}

}  // namespace eh
