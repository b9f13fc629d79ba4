// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// What environment variables decide about comm/. Read once per process; docs/communication.md lists them.
namespace eh {

struct Settings {
  bool check = false;         ///< EQUIHEAT_CHECK: ranks agree on every collective before it starts
  bool shared_memory = true;  ///< EQUIHEAT_SHM: ranks of one node exchange through shared memory
  /// EQUIHEAT_PULL: ranks of one node read each other's memory: 0 never, 1 where that is faster, 2 wherever they can
  std::int64_t pull = 1;
  std::int64_t shm_least = 0;  ///< EQUIHEAT_SHM_LEAST: bytes per rank below which MPI is used
};

const Settings& settings();

}  // namespace eh
