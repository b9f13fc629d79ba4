// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "comm/mpi.hpp"
#include "comm/rings.hpp"

/// Exchange of views by messages, where ranks share no memory.
namespace eh {

/// Bytes of one message of a pair of ranks that exchange `bytes` one way: both know them. Two messages each way are under
/// way at a time, so that the buffers of all pairs together are at most a quarter of what moves, or small.
std::int64_t message_bytes(std::int64_t bytes);

/// sends[r] of this rank fills recvs[this rank] of rank r. Pieces of a few pairs at a time are packed while others
/// travel and are unpacked as they come; contiguous memory is sent from where it is. Entries of the own rank are not
/// looked at. Collective.
void message_exchange(MPI_Comm comm, const std::vector<Stream>& sends, const std::vector<Stream>& recvs);

}  // namespace eh
