// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/communicator.hpp"
#include "comm/flight.hpp"
#include "comm/lifetime.hpp"

namespace eh {

struct Communicator::Impl {
  explicit Impl(MPI_Comm owned);
  MPI_Comm comm() const { return handle.get(); }

  CommHandle handle;
  int rank = 0;
  int size = 1;
};

/// Runs a `start_*` function to its end.
template <typename Start, typename... Args>
void run(const Communicator::Impl& comm, Start start, const Args&... args) {
  Flight flight(Flight::Blocking);
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
