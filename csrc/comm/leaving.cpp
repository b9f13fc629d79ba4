// SPDX-License-Identifier: BSD-3-Clause
#include "comm/leaving.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/error.hpp"
#include "comm/impl.hpp"

namespace eh {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kPeriod = 1ms;
constexpr auto kStackTime = 500ms;  ///< what the others get to print their stacks

/// Leaked on purpose: read when MPI ends, after static destruction.
struct Departure {
  std::mutex mutex;
  std::vector<std::weak_ptr<Node>> nodes;
  std::vector<std::shared_ptr<Node>> kept;
  std::unique_ptr<CommHandle> world;
  LeavingOptions options;
};

Departure& departure() {
  static auto* const instance = new Departure;
  return *instance;
}

struct Waiting {
  std::vector<int> processes;
  std::uint64_t collective = 0;
  int ranks = 0;  ///< of the communicator
  explicit operator bool() const { return !processes.empty(); }
};

/// The ranks of a node that are in a collective this rank has not come to.
Waiting waiting_on(const Node& node) {
  const std::uint64_t own = node.board(node.rank()).entered.load(std::memory_order_acquire);
  Waiting found{{}, own + 1, node.size()};
  for (int rank = 0; rank < node.size(); ++rank)
    if (node.board(rank).entered.load(std::memory_order_acquire) > own)
      found.processes.push_back(static_cast<int>(node.board(rank).process));
  return found;
}

Waiting find_waiting() {
  const std::lock_guard lock(departure().mutex);
  for (const auto& known : departure().nodes) {
    const auto node = known.lock();
    if (node == nullptr) continue;
    if (Waiting found = waiting_on(*node)) return found;
  }
  return {};
}

[[noreturn]] void end_job(const Waiting& waiting) {
  const LeavingOptions& options = departure().options;
  int rank = 0;
  MPI_Comm_rank(departure().world->get(), &rank);
  const std::string text =
      message("equiheat: the program of rank ", rank, " has ended, but ", waiting.processes.size(),
              " other rank(s) wait for it in collective number ", waiting.collective,
              " of a communicator of ", waiting.ranks, " ranks. The job ends.\n");
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) std::fputs(text.c_str(), stderr);
  for (const int process : waiting.processes)
    if (options.stack_signal != 0 && process != 0) kill(process, options.stack_signal);
  std::this_thread::sleep_for(kStackTime);
  mpi_abort(options.exit_code);
}

/// Returns when all ranks are here.
void await_others() {
  MPI_Request all = MPI_REQUEST_NULL;
  if (MPI_Ibarrier(departure().world->get(), &all) != MPI_SUCCESS) return;
  const std::chrono::duration<double> patience(departure().options.seconds);
  auto last = Clock::now();  // when nobody waited for this rank
  for (int done = 0; MPI_Test(&all, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done == 0;) {
    const Waiting waiting = find_waiting();
    if (!waiting) last = Clock::now();
    if (Clock::now() - last > patience) end_job(waiting);
    std::this_thread::sleep_for(kPeriod);
  }
  departure().kept.clear();
}

}  // namespace

void count_collectives(const std::shared_ptr<Node>& node) {
  const std::lock_guard lock(departure().mutex);
  std::erase_if(departure().nodes, [](const auto& known) { return known.expired(); });
  departure().nodes.push_back(node);
}

void keep_counts() {
  const std::lock_guard lock(departure().mutex);
  for (const auto& known : departure().nodes)
    if (auto node = known.lock()) departure().kept.push_back(std::move(node));
}

void leave_together(const Communicator& world, LeavingOptions options) {
  static std::once_flag installed;
  std::call_once(installed, [&] {
    MPI_Comm copy = MPI_COMM_NULL;
    EH_MPI(MPI_Comm_dup(MPI_Comm_f2c(world.fortran_handle()), &copy));
    departure().world = std::make_unique<CommHandle>(copy);
    departure().options = options;
    at_finalize(await_others);
  });
}

}  // namespace eh
