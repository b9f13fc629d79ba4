// SPDX-License-Identifier: BSD-3-Clause
#include "comm/guard.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/error.hpp"

namespace eh {
namespace {

using Clock = std::chrono::steady_clock;
/// What the others get to say where they are.
constexpr auto kTextTime = std::chrono::seconds(2);

std::string list_of(const char* name, const Counts& counts) {
  constexpr std::size_t kShown = 16;
  std::string text = std::string(" ") + name + " [";
  for (std::size_t i = 0; i < std::min(counts.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(counts[i]);
  return text + (counts.size() > kShown ? ", ...]" : "]");
}

}  // namespace

std::unique_ptr<Guard> Guard::make(MPI_Comm comm, Node* node) {
  if (node != nullptr) return std::make_unique<NodeGuard>(*node);
  MPI_Comm copy = MPI_COMM_NULL;
  EH_MPI(MPI_Comm_dup(comm, &copy));
  return std::make_unique<MessageGuard>(copy);
}

std::string account(const Call& call, Guard::PerRank counts) {
  std::string text = text_of(call);
  if (counts.sends != nullptr)
    text += list_of(counts.recvs == nullptr ? "counts" : "send_counts", *counts.sends);
  if (counts.recvs != nullptr) text += list_of("recv_counts", *counts.recvs);
  const std::string where = location();
  return where.empty() ? text : text + " at " + where;
}

std::string disagreement(Guard::Ticket ticket, const std::vector<std::string>& texts) {
  std::string whole = message("ranks disagree about collective number ", ticket, " of their communicator:");
  std::vector<bool> told(texts.size(), false);
  for (std::size_t first = 0; first < texts.size(); ++first) {
    if (told[first]) continue;
    std::string ranks;
    int number = 0;
    for (std::size_t rank = first; rank < texts.size(); ++rank) {
      if (texts[rank] != texts[first]) continue;
      told[rank] = true;
      ranks += (number++ == 0 ? "" : ", ") + std::to_string(rank);
    }
    whole += (number == 1 ? "\n  rank " : "\n  ranks ") + ranks + ": " + texts[first];
  }
  return whole;
}

Call NodeGuard::call_of(int rank, Ticket ticket) const {
  Call call;
  std::memcpy(static_cast<void*>(&call), node_.board(rank).calls + ticket % Board::kDepth * sizeof(Call),
              sizeof(Call));
  return call;
}

bool NodeGuard::all_published(Ticket ticket) const {
  for (int rank = 0; rank < node_.size(); ++rank)
    if (node_.board(rank).published.load(std::memory_order_acquire) < ticket) return false;
  return true;
}

bool NodeGuard::all_checked(Ticket ticket) const {
  for (int rank = 0; rank < node_.size(); ++rank)
    if (node_.board(rank).checked.load(std::memory_order_acquire) < ticket) return false;
  return true;
}

Guard::Ticket NodeGuard::publish(const Call& call, PerRank counts) {
  const Ticket ticket = ++published_;
  auto waiting = node_.patience();
  while (ticket > Board::kDepth && !all_checked(ticket - Board::kDepth)) {
    if (checked_ + 1 < ticket && all_published(checked_ + 1))
      compare(checked_ + 1);
    else
      waiting.wait();
  }
  Board& own = node_.board(node_.rank());
  std::memcpy(own.calls + ticket % Board::kDepth * sizeof(Call), static_cast<const void*>(&call),
              sizeof(Call));
  if (counts.recvs != nullptr) {
    std::int64_t* table = node_.board_counts(node_.rank(), ticket);
    std::copy(counts.recvs->begin(), counts.recvs->end(),
              std::copy(counts.sends->begin(), counts.sends->end(), table));
  }
  // A blocking call is where it is until it is checked; of the others the line is known now only.
  if (call.nonblocking != 0) accounts_[ticket] = account(call, counts);
  counts_ = counts;
  own.published.store(ticket, std::memory_order_release);
  return ticket;
}

bool NodeGuard::ready(Ticket ticket) { return checked_ >= ticket || all_published(ticket); }

void NodeGuard::check(Ticket ticket) {
  auto waiting = node_.patience();
  while (checked_ < ticket) {
    while (!all_published(checked_ + 1)) waiting.wait();
    compare(checked_ + 1);
  }
  const auto failure = failed_.extract(ticket);
  if (!failure.empty()) throw CommError(failure.mapped());
}

bool NodeGuard::counts_match(Ticket ticket) const {
  const int n = node_.size();
  for (int from = 0; from < n; ++from)
    for (int to = 0; to < n; ++to)
      if (node_.board_counts(from, ticket)[to] != node_.board_counts(to, ticket)[n + from]) return false;
  return true;
}

bool NodeGuard::agree(Ticket ticket) const {
  const Call first = call_of(0, ticket);
  for (int rank = 1; rank < node_.size(); ++rank)
    if (call_of(rank, ticket) != first) return false;
  return first.kind != CallKind::Alltoallv || counts_match(ticket);
}

void NodeGuard::compare(Ticket ticket) {
  if (!agree(ticket)) failed_[ticket] = disagreement(ticket, exchange_texts(ticket));
  accounts_.erase(ticket);
  checked_ = ticket;
  node_.board(node_.rank()).checked.store(ticket, std::memory_order_release);
}

std::vector<std::string> NodeGuard::exchange_texts(Ticket ticket) {
  const auto deadline = Clock::now() + kTextTime;
  auto waiting = node_.patience();
  // The others have read the text of the disagreement before.
  while (!all_checked(told_) && Clock::now() < deadline) waiting.wait();
  Board& own = node_.board(node_.rank());
  const auto known = accounts_.find(ticket);
  const std::string text =
      known == accounts_.end() ? account(call_of(node_.rank(), ticket), counts_) : known->second;
  std::snprintf(own.text, sizeof(own.text), "%s", text.c_str());
  own.told.store(told_ = ticket, std::memory_order_release);
  std::vector<std::string> texts;
  for (int rank = 0; rank < node_.size(); ++rank) {
    const Board& board = node_.board(rank);
    while (board.told.load(std::memory_order_acquire) < ticket && Clock::now() < deadline) waiting.wait();
    texts.push_back(board.told.load(std::memory_order_acquire) == ticket ? board.text
                                                                         : text_of(call_of(rank, ticket)));
  }
  return texts;
}

}  // namespace eh
