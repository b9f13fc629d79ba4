// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/combine.hpp"
#include "comm/node_collectives.hpp"

/// Collectives in which ranks of a node read each other's operands where they lie (comm/pull.hpp). All ranks have
/// offered their operands before (Node::decides_to_pull); at the end all have read what they need. Collective.
namespace eh {

/// Each rank combines one part of all operands, then reads the other parts of the result: two copies less than
/// through shared memory. `in` may be `out`.
void pulled_allreduce(Node& node, const std::byte* in, std::byte* out, std::int64_t count, std::int64_t item,
                      Combine combine);
/// @param blocks  of `out`, one for each rank; the own part is copied from `in`
void pulled_allgather(Node& node, const std::byte* in, std::byte* out, const std::vector<ByteBlock>& blocks);

}  // namespace eh
