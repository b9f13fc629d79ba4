// SPDX-License-Identifier: BSD-3-Clause
#include "comm/pulled_collectives.hpp"

#include <algorithm>

#include "kernels/copy.hpp"
#include "kernels/large_copies.hpp"

namespace eh {
namespace {

void await_everybody(Node& node) {
  node.advance();
  node.await_all();
}

/// One rank's part of a reduction, a piece at a time, in the order of the ranks.
class Share {
 public:
  Share(Node& node, const std::byte* in, std::byte* out, std::int64_t item, Combine combine)
      : node_(node), in_(in), out_(out), item_(item), combine_(combine) {}

  void run(std::int64_t first, std::int64_t last) {
    const std::int64_t most = static_cast<std::int64_t>(Node::kPiece) / item_;
    for (std::int64_t done = first; done < last; done += most) piece(done, std::min(most, last - done));
  }

 private:
  void piece(std::int64_t first, std::int64_t n) {
    std::byte* result = out_ + first * item_;
    const std::byte* own = in_ + first * item_;
    if (node_.rank() > 1 && own == result) own = copy(own, n);  // it is read after the first sum is written
    const auto part = [&](int rank, std::size_t place) {
      return rank == node_.rank() ? own : pulled(rank, first, n, place);
    };
    const std::byte* a = part(0, 0);
    combine_(result, a, part(1, 1), n);
    for (int rank = 2; rank < node_.size(); ++rank) combine_(result, result, part(rank, 0), n);
  }
  const std::byte* copy(const std::byte* own, std::int64_t n) {
    kernels::copy_bytes(node_.scratch(2), own, static_cast<std::size_t>(n * item_));
    return node_.scratch(2);
  }
  const std::byte* pulled(int rank, std::int64_t first, std::int64_t n, std::size_t place) {
    const std::byte* from = node_.notice(rank).in.load(std::memory_order_relaxed);
    node_.pull_from(rank, node_.scratch(place), from + first * item_, n * item_);
    return node_.scratch(place);
  }

  Node& node_;
  const std::byte* in_;
  std::byte* out_;
  std::int64_t item_;
  Combine combine_;
};

}  // namespace

void pulled_allreduce(Node& node, const std::byte* in, std::byte* out, std::int64_t count, std::int64_t item,
                      Combine combine) {
  const auto begin = [&](int rank) { return count * rank / node.size(); };
  const int me = node.rank();
  Share(node, in, out, item, combine).run(begin(me), begin(me + 1));
  await_everybody(node);
  for (int step = 1; step < node.size(); ++step) {
    const int rank = (me + step) % node.size();
    const std::byte* from = node.notice(rank).out.load(std::memory_order_relaxed);
    const std::int64_t first = begin(rank) * item;
    node.pull_from(rank, out + first, from + first, begin(rank + 1) * item - first);
  }
  await_everybody(node);
}

void pulled_allgather(Node& node, const std::byte* in, std::byte* out, const std::vector<ByteBlock>& blocks) {
  const int me = node.rank();
  for (int step = 1; step < node.size(); ++step) {
    const int rank = (me + step) % node.size();
    const ByteBlock& block = blocks[static_cast<std::size_t>(rank)];
    node.pull_from(rank, out + block.offset, node.notice(rank).in.load(std::memory_order_relaxed),
                   block.bytes);
  }
  const ByteBlock& own = blocks[static_cast<std::size_t>(me)];
  if (own.bytes > 0 && out + own.offset != in) {
    const auto bytes = static_cast<std::size_t>(own.bytes);
    std::size_t all = 0;
    for (const ByteBlock& block : blocks) all += static_cast<std::size_t>(block.bytes);
    kernels::copy_part_of(all, bytes, [&](bool past_caches) {
      (past_caches ? kernels::stream_bytes : kernels::copy_bytes)(out + own.offset, in, bytes);
    });
  }
  await_everybody(node);
}

}  // namespace eh
