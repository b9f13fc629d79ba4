// SPDX-License-Identifier: BSD-3-Clause
#include "comm/rings.hpp"

#include "kernels/copy.hpp"

namespace eh {
namespace {

/// Packs for another rank; `scratch` holds n bytes.
void pack_by(Way way, const StridedView& view, std::int64_t first, std::int64_t n, std::byte* out,
             std::byte* scratch) {
  if (way == Way::Cached) return view.pack(first, n, out);
  if (view.has_long_rows()) return view.pack(first, n, out, kernels::stream_part);
  view.pack(first, n, scratch);
  kernels::stream_part(out, scratch, static_cast<std::size_t>(n));
}

std::int64_t left_of(const std::vector<Progress>& side) {
  std::int64_t left = 0;
  for (const Progress& progress : side) left += progress.left();
  return left;
}

}  // namespace

Progress::Progress(const Stream& stream) : stream_(stream) {
  for (const StridedView& view : stream_) left_ += view.bytes();
}

const std::byte* Progress::memory() const {
  const bool last = view_ + 1 == stream_.size();
  return last && stream_[view_].is_contiguous() ? stream_[view_].data() + within_ : nullptr;
}

RingExchange::RingExchange(Node& node, Node::Lane lane, const std::vector<Stream>& sends,
                           const std::vector<Stream>& recvs)
    : node_(node),
      lane_(lane),
      out_(sends.begin(), sends.end()),
      in_(recvs.begin(), recvs.end()),
      large_(left_of(in_) >= Node::kLarge) {}

bool RingExchange::send_chunk(int peer) {
  Progress& progress = out_[static_cast<std::size_t>(peer)];
  if (progress.left() == 0) return false;
  Channel& channel = node_.channel(node_.rank(), peer, lane_);
  const std::uint64_t number = channel.produced.load(std::memory_order_relaxed);
  if (number - channel.consumed.load(std::memory_order_acquire) >= Node::kRing) return false;
  std::byte* chunk = node_.chunk(node_.rank(), peer, lane_, number);
  const auto bytes = std::min(progress.left(), static_cast<std::int64_t>(node_.chunk_bytes()));
  const Way way = node_.way_to(peer, static_cast<std::size_t>(bytes), lane_);
  std::byte* scratch = way == Way::Cached ? nullptr : node_.scratch();
  measured(node_.write_costs(), way, static_cast<std::size_t>(bytes), [&] {
    progress.next(bytes, [&](const StridedView& v, auto first, auto n, auto place) {
      pack_by(way, v, first, n, chunk + place, scratch);
    });
    if (way == Way::Streamed) kernels::finish_streams();
  });
  channel.ways[number % Node::kRing] = way;
  channel.produced.store(number + 1, std::memory_order_release);
  return true;
}

bool RingExchange::receive_chunk(int peer) {
  Progress& progress = in_[static_cast<std::size_t>(peer)];
  if (progress.left() == 0) return false;
  Channel& channel = node_.channel(peer, node_.rank(), lane_);
  const std::uint64_t number = channel.consumed.load(std::memory_order_relaxed);
  if (channel.produced.load(std::memory_order_acquire) == number) return false;
  const std::byte* chunk = node_.chunk(peer, node_.rank(), lane_, number);
  const auto bytes = std::min(progress.left(), static_cast<std::int64_t>(node_.chunk_bytes()));
  measured(channel.costs, channel.ways[number % Node::kRing], static_cast<std::size_t>(bytes), [&] {
    progress.next(bytes, [&](const StridedView& v, auto first, auto n, auto place) {
      v.unpack(first, n, chunk + place, large_ ? kernels::stream_part : kernels::copy_bytes);
    });
    if (large_) kernels::finish_streams();
  });
  channel.consumed.store(number + 1, std::memory_order_release);
  return true;
}

bool RingExchange::advance() {
  bool moved = false;
  for (int step = 1; step < node_.size(); ++step) {
    moved |= send_chunk((node_.rank() + step) % node_.size());
    moved |= receive_chunk((node_.rank() + node_.size() - step) % node_.size());
  }
  return moved;
}

bool RingExchange::pending() const {
  const auto unfinished = [&](const std::vector<Progress>& side) {
    for (std::size_t rank = 0; rank < side.size(); ++rank)
      if (static_cast<int>(rank) != node_.rank() && side[rank].left() > 0) return true;
    return false;
  };
  return unfinished(out_) || unfinished(in_);
}

void RingExchange::complete() {
  auto waiting = node_.patience();
  while (pending()) {
    if (advance())
      waiting.reset();
    else
      waiting.wait();
  }
}

}  // namespace eh
