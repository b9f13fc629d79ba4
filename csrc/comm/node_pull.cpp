// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <unistd.h>

#include "comm/node.hpp"

/// Ranks of a node that read each other's memory.
namespace eh {

/// Every rank looks for a number in the memory of the others.
bool Node::can_pull() {
  const std::uint64_t number =
      clock_ticks() ^ (std::uint64_t{0x9E3779B97F4A7C15} * static_cast<std::uint64_t>(getpid()));
  Notice& own = notice(rank_);
  own.process = getpid();
  own.proof = &number;
  own.number = number;
  EH_MPI(MPI_Barrier(comm_));
  bool good = true;
  for (int rank = 0; rank < size_ && good; ++rank) {
    std::uint64_t found = 0;
    const Notice& other = notice(rank);
    auto* proof = reinterpret_cast<std::byte*>(const_cast<std::uint64_t*>(other.proof));
    good = try_pull(other.process, {{reinterpret_cast<std::byte*>(&found), sizeof found}},
                    {{proof, sizeof found}}) &&
           found == other.number;
  }
  return all_agree(comm_, good);
}

bool Node::decides_to_pull(Preference& preference, const void* in, const void* out, std::size_t bytes) {
  if (pull_ == 0 || bytes < kLeastPulled) return false;
  const Preference::Next next = pull_ > 1 ? Preference::Next::Pulled : preference.next(bytes);
  if (next == Preference::Next::Written) return false;
  Notice& own = notice(rank_);
  own.in.store(static_cast<const std::byte*>(in), std::memory_order_relaxed);
  own.out.store(static_cast<const std::byte*>(out), std::memory_order_relaxed);
  for (const bool pulled : {false, true})
    own.costs[pulled].store(preference.cost(pulled, bytes), std::memory_order_relaxed);
  advance();
  await_all();
  if (next == Preference::Next::Pulled) return true;
  const bool pull = slowest(true) < slowest(false);
  preference.agree(pull, bytes);
  return pull;
}

float Node::slowest(bool pulled) const {
  float found = 0;
  for (int rank = 0; rank < size_; ++rank)
    found = std::max(found, notice(rank).costs[pulled].load(std::memory_order_relaxed));
  return found;
}

void Node::pull_from(int rank, std::byte* to, const std::byte* from, std::int64_t bytes) {
  if (bytes <= 0) return;
  const auto n = static_cast<std::size_t>(bytes);
  pull(notice(rank).process, {{to, n}}, {{const_cast<std::byte*>(from), n}});
}

}  // namespace eh
