// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/tensor_comm.hpp"

/// Rows packed by the rank they go to, and packed by the rank they came from. No gradient.
namespace eh {

/// How many rows go to and come from each rank, as ends of their runs.
struct Traffic {
  std::vector<std::int64_t> sent;
  std::vector<std::int64_t> received;
};
/// From the ends of the own runs. Collective: one number for each pair of ranks.
Traffic plan_traffic(std::vector<std::int64_t> sent, const Communicator& comm);

/// Rows of `t`, whose runs end at `from`, to their ranks; what arrives is packed by source, and its runs end at `to`.
/// Collective: one alltoallv.
at::Tensor route(const at::Tensor& t, const std::vector<std::int64_t>& from,
                 const std::vector<std::int64_t>& to, const Communicator& comm);

}  // namespace eh
