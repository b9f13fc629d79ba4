// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "comm/call.hpp"

namespace eh {

/// A thread that ends the job when a call of comm/ has waited too long, after every rank of the node has printed what
/// it is doing. It is C++ throughout: a thread of Python could not run while a rank holds the interpreter's lock.
struct WatchdogOptions {
  double seconds = 0;               ///< a call that lasts longer ends the job
  void (*dump_stacks)() = nullptr;  ///< prints this process's stacks to stderr; must not need any lock
  int exit_code = 71;
};

/// Starts it, once per process. @pre MPI_THREAD_MULTIPLE. Collective over the communicator, which should be all ranks.
void start_watchdog(const Communicator& comm, WatchdogOptions options);
bool watchdog_runs();

/// The latest calls of this process, oldest first, and the one it is in: "allreduce(...)".
std::vector<std::string> latest_calls();

/// Marks a call of this thread as running, from start() until it is destroyed.
class Running {
 public:
  Running() = default;
  ~Running() { stop(); }
  Running(Running&& other) noexcept : slot_(other.slot_) { other.slot_ = nullptr; }
  Running& operator=(Running&&) = delete;
  void start(const Call& call);
  void stop();

 private:
  void* slot_ = nullptr;
};

/// Whether calls are recorded: with the watchdog or in checked mode.
extern std::atomic<bool> calls_recorded;
void record_calls();

}  // namespace eh
