// SPDX-License-Identifier: BSD-3-Clause
#include "comm/node_collectives.hpp"

#include "comm/combine.hpp"
#include "comm/pulled_collectives.hpp"
#include "comm/rings.hpp"
#include "comm/written_collectives.hpp"

namespace eh {
namespace {

/// A collective in the way that was measured to be faster. `bytes` is the same on all ranks.
template <typename Pulled, typename Written>
void by_cheaper(Node& node, Node::Kind kind, const void* in, const void* out, std::int64_t bytes,
                const Pulled& pulled, const Written& written) {
  const auto size = static_cast<std::size_t>(bytes);
  Preference& preference = node.preference(kind);
  const std::uint64_t begin = clock_ticks();
  const bool pull = node.decides_to_pull(preference, in, out, size);
  pull ? pulled() : written();
  if (node.pulls() && size >= Node::kLeastPulled) preference.add(pull, size, clock_ticks() - begin);
}

}  // namespace

void node_allreduce(Node& node, const void* in, void* out, std::int64_t count, DType dtype, ReduceOp op) {
  const Combine combine = combine_of(op, dtype);
  const auto item = static_cast<std::int64_t>(size_of(dtype));
  const auto* from = static_cast<const std::byte*>(in);
  auto* to = static_cast<std::byte*>(out);
  by_cheaper(
      node, Node::Reducing, in, out, count * item,
      [&] { pulled_allreduce(node, from, to, count, item, combine); },
      [&] { written_allreduce(node, from, to, count, item, combine); });
}

void node_reduce_scatter(Node& node, const void* in, void* out, const std::vector<std::int64_t>& counts,
                         DType dtype, ReduceOp op) {
  written_reduce_scatter(node, in, out, counts, dtype, op);
}

void node_allgather(Node& node, const void* in, void* out, const std::vector<ByteBlock>& blocks) {
  std::int64_t total = 0;
  for (const ByteBlock& block : blocks) total += block.bytes;
  const auto* from = static_cast<const std::byte*>(in);
  auto* to = static_cast<std::byte*>(out);
  by_cheaper(
      node, Node::Gathering, in, out, total, [&] { pulled_allgather(node, from, to, blocks); },
      [&] { written_allgather(node, from, to, blocks, total); });
}

void node_bcast(Node& node, void* data, std::int64_t bytes, int root) {
  std::vector<ByteBlock> blocks(static_cast<std::size_t>(node.size()));
  blocks[static_cast<std::size_t>(root)].bytes = bytes;
  node_allgather(node, data, data, blocks);
}

void node_exchange(Node& node, const std::vector<Stream>& sends, const std::vector<Stream>& recvs,
                   const std::function<void()>& meanwhile) {
  RingExchange exchange(node, Node::Blocking, sends, recvs);
  exchange.advance();
  if (meanwhile) meanwhile();
  exchange.complete();
}

}  // namespace eh
