// SPDX-License-Identifier: BSD-3-Clause
#include "comm/rings.hpp"

#include <limits>

#include "kernels/copy.hpp"
#include "kernels/large_copies.hpp"

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

/// So many views of long rows have fewer pieces than the kernel takes at once, and than a chunk has room for.
constexpr std::size_t kMostViews = 64;

/// Bytes and rows pulled at once: many, for while a rank is in the kernel it lends nothing.
constexpr std::int64_t kMostPulled = 4 << 20, kMostRows = 512;

/// What a chunk holds whose bytes are to be pulled: how many in how many rows, then these.
struct Lent {
  std::int64_t bytes;
  std::uint64_t count;
  static Memory* rows(std::byte* chunk) { return reinterpret_cast<Memory*>(chunk + sizeof(Lent)); }
  static void write(std::byte* chunk, std::int64_t bytes, const std::vector<Memory>& found) {
    *reinterpret_cast<Lent*>(chunk) = {bytes, found.size()};
    std::copy(found.begin(), found.end(), rows(chunk));
  }
  static std::int64_t bytes_of(const std::byte* chunk) { return reinterpret_cast<const Lent*>(chunk)->bytes; }
  static std::vector<Memory> read(const std::byte* chunk) {
    auto* memory = const_cast<std::byte*>(chunk);
    return {rows(memory), rows(memory) + reinterpret_cast<const Lent*>(chunk)->count};
  }
};

/// How much of what is left is lent at once.
std::int64_t most_pulled(const Progress& progress, std::int64_t least) {
  const std::int64_t rows = progress.row() < kMostPulled ? kMostRows * progress.row() : kMostPulled;
  return std::min(progress.left(), std::clamp(rows, least, kMostPulled));
}

/// Bytes [first, first + n) of what lies in some rows.
std::vector<Memory> part_of(const std::vector<Memory>& rows, std::int64_t first, std::int64_t n) {
  std::vector<Memory> found;
  for (const Memory& row : rows) {
    const auto length = static_cast<std::int64_t>(row.bytes);
    const std::int64_t begin = std::clamp<std::int64_t>(first, 0, length);
    const std::int64_t end = std::clamp<std::int64_t>(first + n, 0, length);
    if (begin < end) found.push_back({row.data + begin, static_cast<std::size_t>(end - begin)});
    first -= length;
  }
  return found;
}

std::int64_t left_of(const std::vector<Progress>& side) {
  std::int64_t left = 0;
  for (const Progress& progress : side) left += progress.left();
  return left;
}

}  // namespace

Progress::Progress(const Stream& stream)
    : stream_(stream), row_(stream.size() <= kMostViews ? std::numeric_limits<std::int64_t>::max() : 0) {
  for (const StridedView& view : stream_) {
    left_ += view.bytes();
    row_ = view.has_long_rows() ? std::min(row_, view.row_bytes()) : 0;
  }
}

std::vector<Memory> Progress::next_rows(std::int64_t bytes) {
  std::vector<Memory> rows;
  next(bytes, [&](const StridedView& view, auto first, auto n, auto) { view.append_rows(first, n, rows); });
  return rows;
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
      lent_(sends.size(), 0),
      large_(kernels::goes_past_caches(static_cast<std::size_t>(left_of(in_)))) {}

void RingExchange::write_chunk(Progress& progress, std::byte* chunk, std::int64_t bytes, Way way) {
  if (way == Way::Pulled) return Lent::write(chunk, bytes, progress.next_rows(bytes));
  std::byte* scratch = way == Way::Cached ? nullptr : node_.scratch();
  progress.next(bytes, [&](const StridedView& v, auto first, auto n, auto place) {
    pack_by(way, v, first, n, chunk + place, scratch);
  });
  if (way == Way::Streamed) kernels::finish_streams();
}

bool RingExchange::send_chunk(int peer) {
  const auto rank = static_cast<std::size_t>(peer);
  Progress& progress = out_[rank];
  if (progress.left() == 0) return false;
  Channel& channel = node_.channel(node_.rank(), peer, lane_);
  const std::uint64_t number = channel.produced.load(std::memory_order_relaxed);
  if (number - channel.consumed.load(std::memory_order_acquire) >= Node::kRing) return false;
  std::byte* chunk = node_.chunk(node_.rank(), peer, lane_, number);
  auto bytes = std::min(progress.left(), static_cast<std::int64_t>(node_.chunk_bytes()));
  const Way way = node_.way_to(peer, static_cast<std::size_t>(bytes), lane_, progress.is_rows());
  if (way == Way::Pulled) bytes = most_pulled(progress, bytes);
  measured(node_.write_costs(), way, static_cast<std::size_t>(bytes),
           [&] { write_chunk(progress, chunk, bytes, way); });
  if (way == Way::Pulled) lent_[rank] = number + 1;
  channel.ways[number % Node::kRing] = way;
  channel.produced.store(number + 1, std::memory_order_release);
  return true;
}

void RingExchange::read_chunk(Progress& progress, const std::byte* chunk, std::int64_t bytes) {
  progress.next(bytes, [&](const StridedView& v, auto first, auto n, auto place) {
    v.unpack(first, n, chunk + place, large_ ? kernels::stream_part : kernels::copy_bytes);
  });
  if (large_) kernels::finish_streams();
}

void RingExchange::pull_chunk(Progress& progress, const std::byte* chunk, std::int64_t bytes, int peer) {
  const std::int64_t process = node_.notice(peer).process;
  const std::vector<Memory> rows = Lent::read(chunk);
  if (progress.is_rows()) return pull(process, progress.next_rows(bytes), rows);
  constexpr auto kPiece = static_cast<std::int64_t>(Node::kPiece);
  for (std::int64_t done = 0; done < bytes; done += kPiece) {
    const std::int64_t n = std::min(kPiece, bytes - done);
    pull(process, {{node_.scratch(), static_cast<std::size_t>(n)}}, part_of(rows, done, n));
    read_chunk(progress, node_.scratch(), n);
  }
}

bool RingExchange::receive_chunk(int peer) {
  Progress& progress = in_[static_cast<std::size_t>(peer)];
  if (progress.left() == 0) return false;
  Channel& channel = node_.channel(peer, node_.rank(), lane_);
  const std::uint64_t number = channel.consumed.load(std::memory_order_relaxed);
  if (channel.produced.load(std::memory_order_acquire) == number) return false;
  const std::byte* chunk = node_.chunk(peer, node_.rank(), lane_, number);
  const Way way = channel.ways[number % Node::kRing];
  const std::int64_t bytes = way == Way::Pulled
                                 ? Lent::bytes_of(chunk)
                                 : std::min(progress.left(), static_cast<std::int64_t>(node_.chunk_bytes()));
  measured(channel.costs, way, static_cast<std::size_t>(bytes), [&] {
    way == Way::Pulled ? pull_chunk(progress, chunk, bytes, peer) : read_chunk(progress, chunk, bytes);
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
  const auto is_read = [&](std::size_t rank) {
    return lent_[rank] == 0 || node_.channel(node_.rank(), static_cast<int>(rank), lane_)
                                       .consumed.load(std::memory_order_acquire) >= lent_[rank];
  };
  if (unfinished(out_) || unfinished(in_)) return true;
  for (std::size_t rank = 0; rank < lent_.size(); ++rank)
    if (!is_read(rank)) return true;
  return false;
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
