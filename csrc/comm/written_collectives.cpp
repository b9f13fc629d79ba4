// SPDX-License-Identifier: BSD-3-Clause
#include "comm/written_collectives.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/copy.hpp"
#include "kernels/large_copies.hpp"

namespace eh {
namespace {

/// Bytes of a slice of a reduction: a few of them fit into the second-level cache.
constexpr std::size_t kSlice = 128 << 10;
constexpr auto kPiece = static_cast<std::int64_t>(Node::kPiece);

void copy_bytes(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0 && to != from) kernels::copy_bytes(to, from, static_cast<std::size_t>(bytes));
}

void copy_own(void* to, const void* from, std::int64_t bytes, bool large) {
  if (!large) return copy_bytes(to, from, bytes);
  if (bytes > 0 && to != from) kernels::stream_bytes(to, from, static_cast<std::size_t>(bytes));
}

const std::byte* at(const void* data, std::int64_t bytes) {
  return static_cast<const std::byte*>(data) + bytes;
}
std::byte* at(void* data, std::int64_t bytes) { return static_cast<std::byte*>(data) + bytes; }

/// One round of a reduction: the elements are cut into one slice per rank, which that rank combines.
class Round {
 public:
  Round(Node& node, const std::byte* in, std::byte* out, std::int64_t count, std::int64_t item,
        std::size_t slice)
      : node_(node), in_(in), out_(out), count_(count), item_(item), slice_(slice) {
    way_ = node.way_to_all(static_cast<std::size_t>(length(node.rank()) * item));
  }

  void offer() {
    for (int rank = 0; rank < node_.size(); ++rank)
      if (rank != node_.rank())
        node_.put(region(node_.rank(), rank), in_ + begin(rank) * item_, length(rank) * item_, way_);
    node_.advance(way_);
  }
  void fold(Combine combine) {
    node_.await_all();
    const int me = node_.rank();
    std::byte* const offered = region(me, node_.size());
    std::byte* const result = way_ == Way::Cached ? offered : node_.scratch();
    combine(result, contribution(0), contribution(1), length(me));
    for (int rank = 2; rank < node_.size(); ++rank) combine(result, result, contribution(rank), length(me));
    copy_bytes(out_ + begin(me) * item_, result, length(me) * item_);
    node_.put(offered, result, length(me) * item_, way_);
    node_.advance(way_);
  }
  void collect() {
    node_.await_all();
    for (int rank = 0; rank < node_.size(); ++rank)
      if (rank != node_.rank())
        node_.take(out_ + begin(rank) * item_, region(rank, node_.size()), length(rank) * item_, rank);
  }

 private:
  std::int64_t begin(int rank) const { return count_ * rank / node_.size(); }
  std::int64_t length(int rank) const { return begin(rank + 1) - begin(rank); }
  std::byte* region(int owner, int index) const {
    return node_.slot(owner) + static_cast<std::size_t>(index) * slice_;
  }
  const std::byte* contribution(int rank) const {
    return rank == node_.rank() ? in_ + begin(rank) * item_ : region(rank, node_.rank());
  }

  Node& node_;
  const std::byte* in_;
  std::byte* out_;
  std::int64_t count_;
  std::int64_t item_;
  std::size_t slice_;
  Way way_;
};

/// Every rank offers all it has and combines everything itself, in the order of the ranks: one wait a piece.
void combine_everywhere(Node& node, const std::byte* in, std::byte* out, std::int64_t count,
                        std::int64_t item, Combine combine) {
  const std::int64_t most = kPiece / item;
  const int other = node.rank() == 0 ? 1 : 0;
  for (std::int64_t done = 0; done < count; done += most) {
    const std::int64_t n = std::min(most, count - done);
    const std::uint64_t number = node.next_piece();
    const Way way = node.way_to_all(static_cast<std::size_t>(n * item));
    const std::byte* own = in + done * item;
    node.put(node.piece(node.rank(), number), own, n * item, way);
    node.advance(way);
    node.await_all();
    // Where the result may lie over the own part before its turn comes, that is read where it was offered.
    const auto part = [&](int rank) -> const std::byte* {
      return rank == node.rank() && rank < 2 ? own : node.piece(rank, number);
    };
    std::byte* result = out + done * item;
    measured(node.read_costs(other, Node::Blocking), node.way_of(other), static_cast<std::size_t>(n * item),
             [&] { combine(result, part(0), part(1), n); });
    for (int rank = 2; rank < node.size(); ++rank) combine(result, result, part(rank), n);
  }
}

}  // namespace

void written_allreduce(Node& node, const std::byte* in, std::byte* out, std::int64_t count, std::int64_t item,
                       Combine combine) {
  // Two ranks read as much of each other as by halves, with fewer copies; of little, waiting is all that counts.
  constexpr std::int64_t kLittle = 4 << 10;
  if (node.size() == 2 || count * item * node.size() <= kLittle)
    return combine_everywhere(node, in, out, count, item, combine);
  const auto ranks = static_cast<std::size_t>(node.size());
  const std::size_t slice = std::min(kSlice, Node::kSlot / (ranks + 1)) / 64 * 64;
  const std::int64_t most = static_cast<std::int64_t>(slice) / item * node.size();
  for (std::int64_t done = 0; done < count; done += most) {
    Round round(node, at(in, done * item), at(out, done * item), std::min(most, count - done), item, slice);
    round.offer();
    round.fold(combine);
    round.collect();
  }
}

void written_reduce_scatter(Node& node, const void* in, void* out, const std::vector<std::int64_t>& counts,
                            DType dtype, ReduceOp op) {
  const Combine combine = combine_of(op, dtype);
  const auto item = static_cast<std::int64_t>(size_of(dtype));
  const int me = node.rank();
  const int ranks = node.size();
  // As written_allreduce cuts its slot, whose last region the others may still be reading.
  const std::size_t slice = std::min(kSlice, Node::kSlot / static_cast<std::size_t>(ranks + 1)) / 64 * 64;
  const std::int64_t most = static_cast<std::int64_t>(slice) / item;
  std::vector<std::int64_t> begins(counts.size(), 0);
  std::partial_sum(counts.begin(), counts.end() - 1, begins.begin() + 1);
  const auto length = [&](int rank, std::int64_t done) {
    return std::clamp<std::int64_t>(counts[static_cast<std::size_t>(rank)] - done, 0, most);
  };
  // A rank's own region holds its result: `out` may be the memory of elements that are yet to be read.
  const auto region = [&](int owner, int rank) {
    return node.slot(owner) + static_cast<std::size_t>(rank) * slice;
  };
  const auto own = [&](std::int64_t done) {
    return at(in, (begins[static_cast<std::size_t>(me)] + done) * item);
  };
  const std::int64_t longest = *std::max_element(counts.begin(), counts.end());
  for (std::int64_t done = 0; done < longest; done += most) {
    const Way way = node.way_to_all(static_cast<std::size_t>(std::min(longest - done, most) * item));
    for (int rank = 0; rank < ranks; ++rank)
      if (rank != me)
        node.put(region(me, rank), at(in, (begins[static_cast<std::size_t>(rank)] + done) * item),
                 length(rank, done) * item, way);
    node.advance(way);
    node.await_all();
    const std::int64_t n = length(me, done);
    const auto contribution = [&](int rank) -> const std::byte* {
      return rank == me ? own(done) : region(rank, me);
    };
    const int other = me == 0 ? 1 : 0;  // the one whose part the first sum reads
    measured(node.read_costs(other, Node::Blocking), node.way_of(other), static_cast<std::size_t>(n * item),
             [&] { combine(region(me, me), contribution(0), contribution(1), n); });
    for (int rank = 2; rank < ranks; ++rank) combine(region(me, me), region(me, me), contribution(rank), n);
    copy_bytes(at(out, done * item), region(me, me), n * item);
    node.advance();
    node.await_all();  // the others have read what was offered
  }
}

void written_allgather(Node& node, const std::byte* in, std::byte* out, const std::vector<ByteBlock>& blocks,
                       std::int64_t total) {
  const int me = node.rank();
  const ByteBlock own = blocks[static_cast<std::size_t>(me)];
  std::int64_t longest = 0;
  for (const ByteBlock& block : blocks) longest = std::max(longest, block.bytes);
  const auto piece = [&](const ByteBlock& block, std::int64_t done) {
    return std::clamp<std::int64_t>(block.bytes - done, 0, kPiece);
  };
  const bool large = kernels::goes_past_caches(static_cast<std::size_t>(total));
  for (std::int64_t done = 0; done < longest; done += kPiece) {
    const std::uint64_t number = node.next_piece();
    const Way way = node.way_to_all(static_cast<std::size_t>(piece(own, done)));
    node.put(node.piece(me, number), at(in, done), piece(own, done), way);
    copy_own(at(out, own.offset + done), at(in, done), piece(own, done), large);
    node.advance(way);
    node.await_all();
    for (int rank = 0; rank < node.size(); ++rank) {
      const ByteBlock& block = blocks[static_cast<std::size_t>(rank)];
      if (rank != me)
        node.take(at(out, block.offset + done), node.piece(rank, number), piece(block, done), rank, large);
    }
  }
}

}  // namespace eh
