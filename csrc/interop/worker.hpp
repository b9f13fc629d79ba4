// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <thread>

namespace eh {

/// Runs jobs one after another in the order in which they were given: in a thread of its own, or in the caller's. What
/// a job gives itself runs at once, within it and before those that wait: on all ranks at the same place.
class Worker {
 public:
  /// Must not throw.
  using Job = std::function<void()>;

  /// Without a thread every job runs in its caller.
  explicit Worker(bool has_thread);
  /// Waits for the jobs given.
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;

  /// Returns at once; the job runs later.
  void submit(Job job);
  /// Returns when the job has run. It runs in the calling thread if no other is before it.
  void run(const Job& job);
  /// Waits for the jobs given and ends the thread. Idempotent.
  void stop();

 private:
  struct State;
  void need_thread();

  const bool has_thread_;
  std::shared_ptr<State>
      state_;  ///< the thread's too: a job may hold the last reference to the worker's owner
  std::thread thread_;
};

}  // namespace eh
