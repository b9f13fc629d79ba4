// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "comm/call.hpp"
#include "comm/lifetime.hpp"
#include "comm/node.hpp"

namespace eh {

/// Checked mode: the ranks of a communicator compare every collective before its first message. When they disagree,
/// each of them throws a CommError that names all ranks, their calls and the lines of their programs.
///
/// Through shared memory a comparison costs little more than waiting for the last rank; across nodes it is one small
/// allgather. A rank that never comes is the watchdog's business (watchdog.hpp).
class Guard {
 public:
  using Ticket = std::uint64_t;
  /// One count per rank and direction; null where a call has none.
  struct PerRank {
    const Counts* sends = nullptr;
    const Counts* recvs = nullptr;
  };

  /// Collective. `node` may be null; it must outlive the guard.
  static std::unique_ptr<Guard> make(MPI_Comm comm, Node* node);
  virtual ~Guard() = default;

  /// Tells the others what this rank is about to do.
  virtual Ticket publish(const Call& call, PerRank counts) = 0;
  /// Waits for all ranks' calls of that number and compares them.
  /// @throws CommError when they differ
  virtual void check(Ticket ticket) = 0;
  /// Whether check() would not wait.
  virtual bool ready(Ticket ticket) = 0;
};

/// How the ranks' accounts of call number `ticket` become one message: ranks with equal texts share a line.
std::string disagreement(Guard::Ticket ticket, const std::vector<std::string>& texts);
/// This rank's account: the call, its counts, and where the program is.
std::string account(const Call& call, Guard::PerRank counts);

/// Through the window of a node.
class NodeGuard : public Guard {
 public:
  explicit NodeGuard(Node& node) : node_(node) {}
  Ticket publish(const Call& call, PerRank counts) override;
  void check(Ticket ticket) override;
  bool ready(Ticket ticket) override;

 private:
  bool all_published(Ticket ticket) const;
  bool all_checked(Ticket ticket) const;
  void compare(Ticket ticket);
  bool agree(Ticket ticket) const;
  bool counts_match(Ticket ticket) const;
  std::vector<std::string> exchange_texts(Ticket ticket);
  Call call_of(int rank, Ticket ticket) const;

  Node& node_;
  PerRank counts_;  ///< of the latest call; the caller's, who waits if it is a blocking one
  Ticket published_ = 0;
  Ticket checked_ = 0;
  Ticket told_ = 0;
  std::map<Ticket, std::string> accounts_;
  std::map<Ticket, std::string> failed_;
};

/// Through messages on a communicator of its own.
class MessageGuard : public Guard {
 public:
  explicit MessageGuard(MPI_Comm owned);
  ~MessageGuard() override;
  Ticket publish(const Call& call, PerRank counts) override;
  void check(Ticket ticket) override;
  bool ready(Ticket ticket) override;

 private:
  struct Pending {
    Call mine;
    std::string text;
    std::vector<Call> all;
    MPI_Request request = MPI_REQUEST_NULL;
  };
  bool counts_match();
  std::vector<std::string> exchange_texts(Ticket ticket, const Pending& pending);

  CommHandle comm_;
  PerRank counts_;  ///< see NodeGuard
  int rank_ = 0;
  int size_ = 1;
  Ticket published_ = 0;
  std::map<Ticket, Pending> pending_;
};

}  // namespace eh
