// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>

#include "base/error.hpp"
#include "comm/guard.hpp"

namespace eh {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kAnswerTime = std::chrono::seconds(2);
constexpr int kText = static_cast<int>(Board::kText);

}  // namespace

MessageGuard::MessageGuard(MPI_Comm owned) : comm_(owned) {
  EH_MPI(MPI_Comm_rank(owned, &rank_));
  EH_MPI(MPI_Comm_size(owned, &size_));
}

MessageGuard::~MessageGuard() = default;

Guard::Ticket MessageGuard::publish(const Call& call, PerRank counts) {
  const Ticket ticket = ++published_;
  Pending& pending = pending_[ticket];
  pending.mine = call;
  pending.all.resize(static_cast<std::size_t>(size_));
  if (call.nonblocking != 0) pending.text = account(call, counts);
  counts_ = counts;
  EH_MPI(MPI_Iallgather(&pending.mine, sizeof(Call), MPI_BYTE, pending.all.data(), sizeof(Call), MPI_BYTE,
                        comm_.get(), &pending.request));
  return ticket;
}

bool MessageGuard::ready(Ticket ticket) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return true;
  int done = 0;
  EH_MPI(MPI_Test(&found->second.request, &done, MPI_STATUS_IGNORE));
  return done != 0;
}

void MessageGuard::check(Ticket ticket) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return;
  EH_MPI(MPI_Wait(&found->second.request, MPI_STATUS_IGNORE));
  const auto node = pending_.extract(found);
  const Pending& pending = node.mapped();
  bool agree = true;
  for (const Call& call : pending.all) agree = agree && call == pending.mine;
  // Counts of a call that others wait for at another place of their programs are not compared.
  if (agree && pending.mine.kind == CallKind::Alltoallv && pending.mine.nonblocking == 0)
    agree = counts_match();
  if (!agree) throw CommError(disagreement(ticket, exchange_texts(ticket, pending)));
}

bool MessageGuard::counts_match() {
  const auto n = static_cast<std::size_t>(size_);
  Counts mine = *counts_.sends;
  mine.insert(mine.end(), counts_.recvs->begin(), counts_.recvs->end());
  std::vector<std::int64_t> all(2 * n * n);
  EH_MPI(MPI_Allgather(mine.data(), 2 * size_, MPI_INT64_T, all.data(), 2 * size_, MPI_INT64_T, comm_.get()));
  for (std::size_t from = 0; from < n; ++from)
    for (std::size_t to = 0; to < n; ++to)
      if (all[from * 2 * n + to] != all[to * 2 * n + n + from]) return false;
  return true;
}

std::vector<std::string> MessageGuard::exchange_texts(Ticket ticket, const Pending& pending) {
  const auto n = static_cast<std::size_t>(size_);
  std::string own = pending.text.empty() ? account(pending.mine, counts_) : pending.text;
  own.resize(static_cast<std::size_t>(kText), '\0');
  own.back() = '\0';
  // Messages, not a collective: the ranks may be at different places. Leaked, as a rank may never send its text.
  auto* in = new std::vector<char>(n * static_cast<std::size_t>(kText));
  auto* out = new std::string(own);
  std::vector<MPI_Request> requests(2 * n);
  const int tag = static_cast<int>(ticket % 32768);
  for (int rank = 0; rank < size_; ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    EH_MPI(MPI_Irecv(in->data() + r * static_cast<std::size_t>(kText), kText, MPI_CHAR, rank, tag,
                     comm_.get(), &requests[r]));
    EH_MPI(MPI_Isend(out->data(), kText, MPI_CHAR, rank, tag, comm_.get(), &requests[n + r]));
  }
  const auto deadline = Clock::now() + kAnswerTime;
  std::vector<std::string> texts;
  bool all_done = true;
  for (std::size_t r = 0; r < 2 * n; ++r) {
    int done = 0;
    while (done == 0 && Clock::now() < deadline) EH_MPI(MPI_Test(&requests[r], &done, MPI_STATUS_IGNORE));
    all_done = all_done && done != 0;
    if (r < n)
      texts.emplace_back(done != 0 ? std::string(in->data() + r * static_cast<std::size_t>(kText))
                                   : text_of(pending.all[r]));
  }
  if (all_done) {
    delete in;
    delete out;
  }
  return texts;
}

}  // namespace eh
