// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/mpi.hpp"

/// Handles that live as long as MPI does.
namespace eh {

/// Runs `hook` when MPI_Finalize begins, while MPI still works; the last one registered runs first.
/// @pre MPI is initialised
void at_finalize(void (*hook)());
/// Runs the hooks now, before MPI_Finalize: for an MPI that does not delete the attributes of MPI_COMM_SELF then (SMPI).
void run_finalize_hooks();

/// A communicator this library owns, freed by the destructor or when MPI_Finalize begins, whichever is first.
class CommHandle {
 public:
  /// Takes `owned` over and makes its errors return codes.
  explicit CommHandle(MPI_Comm owned);
  ~CommHandle();
  CommHandle(const CommHandle&) = delete;
  CommHandle& operator=(const CommHandle&) = delete;

  /// @throws CommError once MPI is finalized
  MPI_Comm get() const;

 private:
  static void free_all();
  void free();
  MPI_Comm comm_;
};

}  // namespace eh
