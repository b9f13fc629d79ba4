// SPDX-License-Identifier: BSD-3-Clause
#include "comm/node.hpp"

#include <algorithm>
#include <new>
#include <sched.h>
#include <unistd.h>

#include "kernels/copy.hpp"

namespace eh {
namespace {

constexpr int kMostRanks = 128;
constexpr std::size_t kPage = 4096;

std::size_t pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

/// Fewer cores than ranks: a rank that spins keeps another from its work.
bool is_crowded(int ranks) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof(cores), &cores) != 0 || CPU_COUNT(&cores) < ranks;
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace

void Patience::wait() {
  constexpr std::uint32_t kSpins = 20000;
  const std::uint32_t kYields = crowded_ ? 5000 : 40000;
  ++turns_;
  if (turns_ < kSpins && !crowded_) return relax();
  if (turns_ % 64 == 0) {
    int found = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_, &found, MPI_STATUS_IGNORE);
  }
  if (turns_ < kYields)
    sched_yield();
  else
    usleep(50);
}

Node::Node(MPI_Comm comm, int rank, int size, std::size_t chunk)
    : comm_(comm), rank_(rank), size_(size), crowded_(is_crowded(size)), chunk_(chunk) {
  const auto n = static_cast<std::size_t>(size);
  boards_ = kPage;
  counts_ = boards_ + pages(n * sizeof(Board));
  steps_ = counts_ + pages(Board::kDepth * n * 2 * n * sizeof(std::int64_t));
  notices_ = steps_ + pages(n * sizeof(Steps));
  channels_ = notices_ + pages(n * sizeof(Notice));
  slots_ = channels_ + pages(n * n * kLanes * sizeof(Channel));
  pieces_ = slots_ + n * kSlot;
  chunks_ = pieces_ + n * 2 * kPiece;
  bytes_ = chunks_ + n * n * kLanes * kRing * chunk;
}

std::unique_ptr<Node> Node::make(MPI_Comm comm, std::int64_t pull) {
  int rank = 0;
  int size = 1;
  EH_MPI(MPI_Comm_rank(comm, &rank));
  EH_MPI(MPI_Comm_size(comm, &size));
  if (size == 1 || size > kMostRanks) return nullptr;
  // All chunks a rank reads or writes at a time should stay in the second-level cache.
  const std::size_t chunk =
      std::clamp<std::size_t>((256u << 10) / static_cast<std::size_t>(size), 16u << 10, 128u << 10);
  auto node = std::unique_ptr<Node>(new Node(comm, rank, size, pages(chunk)));
  node->memory_ = SharedMemory::make(comm, node->bytes_);
  if (node->memory_ == nullptr) return nullptr;
  node->board(rank).process = getpid();
  if (pull > 0 && node->can_pull()) node->pull_ = pull;
  return node;
}

Board& Node::board(int rank) const {
  return reinterpret_cast<Board*>(part(boards_))[static_cast<std::size_t>(rank)];
}

std::int64_t* Node::board_counts(int rank, std::uint64_t call) const {
  const auto n = static_cast<std::size_t>(size_);
  const std::size_t place =
      static_cast<std::size_t>(call % Board::kDepth) * n + static_cast<std::size_t>(rank);
  return reinterpret_cast<std::int64_t*>(part(counts_)) + place * 2 * n;
}

Notice& Node::notice(int rank) const {
  return reinterpret_cast<Notice*>(part(notices_))[static_cast<std::size_t>(rank)];
}

Steps& Node::steps(int rank) const {
  return reinterpret_cast<Steps*>(part(steps_))[static_cast<std::size_t>(rank)];
}

std::byte* Node::slot(int rank) const { return part(slots_ + static_cast<std::size_t>(rank) * kSlot); }

std::byte* Node::piece(int rank, std::uint64_t number) const {
  return part(pieces_ + (static_cast<std::size_t>(rank) * 2 + static_cast<std::size_t>(number % 2)) * kPiece);
}

Channel& Node::channel(int from, int to, Lane lane) const {
  return reinterpret_cast<Channel*>(part(channels_))[pair(from, to, lane)];
}

std::byte* Node::chunk(int from, int to, Lane lane, std::uint64_t number) const {
  return part(chunks_ + (pair(from, to, lane) * kRing + static_cast<std::size_t>(number % kRing)) * chunk_);
}

Way Node::way_to(int reader, std::size_t bytes, Lane lane, bool rows) {
  const Costs& costs = channel(rank_, reader, lane).costs;
  // Pulling makes the writer wait for the reader, as only a blocking exchange does anyway.
  const bool pulled = rows && pull_ != 0 && lane == Blocking && bytes >= kLeastPulled;
  if (pulled && pull_ > 1) return Way::Pulled;
  return pace_.choose(bytes, {costs.of(0), costs.of(1), costs.of(2)}, pulled ? kWays : kWritten);
}

Way Node::way_to_all(std::size_t bytes) {
  float slowest[kWays] = {};
  for (int reader = 0; reader < size_ && bytes >= Pace::kLeast; ++reader)
    for (int way = 0; way < kWritten; ++way)
      slowest[way] = std::max(slowest[way], channel(rank_, reader, Blocking).costs.of(way));
  return pace_.choose(bytes, slowest);
}

void Node::put(void* to, const void* from, std::int64_t bytes, Way way) {
  if (bytes <= 0 || to == from) return;
  const auto n = static_cast<std::size_t>(bytes);
  measured(write_costs(), way, n, [&] {
    if (way == Way::Streamed)
      kernels::stream_bytes(to, from, n);
    else
      kernels::copy_bytes(to, from, n);
  });
}

void Node::take(void* out, const void* from, std::int64_t bytes, int writer, bool large) {
  if (bytes <= 0 || out == from) return;
  const auto n = static_cast<std::size_t>(bytes);
  measured(read_costs(writer, Blocking), way_of(writer), n, [&] {
    if (large)
      kernels::stream_bytes(out, from, n);
    else
      kernels::copy_bytes(out, from, n);
  });
}

std::byte* Node::scratch(std::size_t number) {
  if (scratch_ == nullptr) scratch_ = std::make_unique_for_overwrite<std::byte[]>(kScratch * kPiece);
  return scratch_.get() + number * kPiece;
}

void Node::advance(Way way) {
  steps(rank_).way.store(way, std::memory_order_relaxed);
  steps(rank_).done.store(++step_, std::memory_order_release);
}

void Node::await_all() {
  auto waiting = patience();
  for (int other = 0; other < size_; ++other) {
    while (steps(other).done.load(std::memory_order_acquire) < step_) waiting.wait();
    waiting.reset();
  }
}

}  // namespace eh
