// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"
#include "kernels/pack.hpp"

namespace eh {

/// An exchange of strided host memory that is done again and again, in two halves with work between them: halos.
///
/// Ranks of one node write into rings of shared memory; others use persistent requests of MPI on packed buffers.
/// Several exchanges may be under way; all ranks start them in the same order.
class ViewExchange {
 public:
  /// Bytes to and from each rank; those of the own rank do not count. Local: no message.
  /// @pre one rank's bytes to another are what that one expects
  ViewExchange(std::shared_ptr<const Communicator> comm, Counts send_bytes, Counts recv_bytes, DType dtype);
  ~ViewExchange();
  ViewExchange(const ViewExchange&) = delete;

  /// The views sends[r], one behind another, are to fill the views recvs[this rank] of rank r. Their memory must stay
  /// as it is until finish(). Collective; does not wait for other ranks.
  void start(const std::vector<std::vector<StridedView>>& sends,
             const std::vector<std::vector<StridedView>>& recvs);
  /// Waits until the views are filled and may be written again. Collective.
  void finish();
  bool is_under_way() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eh
