// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/node.hpp"
#include "comm/rings.hpp"

/// Collectives of ranks that share memory. Every rank copies its part of the work, in pieces that stay in the caches, so
/// that main memory is read and written once. All of them are collective over the node's ranks.
namespace eh {

/// Elements are combined in the order of ranks: every rank gets the same bits, whatever the number of elements.
/// `in` may be `out`.
void node_allreduce(Node& node, const void* in, void* out, std::int64_t count, DType dtype, ReduceOp op);

/// The combination of the elements that rank r gets, counts[r] of them behind those of the ranks before it. `out` may be
/// the beginning of `in`. Same order and bits as node_allreduce.
void node_reduce_scatter(Node& node, const void* in, void* out, const std::vector<std::int64_t>& counts,
                         DType dtype, ReduceOp op);

/// Bytes of a rank's part and where they go in everybody's `out`.
struct ByteBlock {
  std::int64_t bytes = 0;
  std::int64_t offset = 0;
};
/// Rank r's part, blocks[r].bytes long, to out + blocks[r].offset of every rank. A rank's `in` may be its block.
void node_allgather(Node& node, const void* in, void* out, const std::vector<ByteBlock>& blocks);
void node_bcast(Node& node, void* data, std::int64_t bytes, int root);

/// sends[r] of this rank fills recvs[this rank] of rank r. The two have equally many bytes. Entries of the own rank are
/// not looked at. `meanwhile` is done once the others have something to do.
void node_exchange(Node& node, const std::vector<Stream>& sends, const std::vector<Stream>& recvs,
                   const std::function<void()>& meanwhile = {});

}  // namespace eh
