// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/combine.hpp"
#include "comm/node_collectives.hpp"

/// Collectives whose operands ranks of a node write into shared memory, a piece at a time that stays in the caches, and read
/// there. Collective.
namespace eh {

/// `in` may be `out`.
void written_allreduce(Node& node, const std::byte* in, std::byte* out, std::int64_t count, std::int64_t item,
                       Combine combine);
/// Part r of all operands, counts[r] elements, is combined by rank r. `out` may lie in `in`.
void written_reduce_scatter(Node& node, const void* in, void* out, const std::vector<std::int64_t>& counts,
                            DType dtype, ReduceOp op);
/// @param blocks  of `out`, one for each rank, `total` bytes; the own part is copied from `in`
void written_allgather(Node& node, const std::byte* in, std::byte* out, const std::vector<ByteBlock>& blocks,
                       std::int64_t total);

}  // namespace eh
