// SPDX-License-Identifier: BSD-3-Clause
#include "interop/worker.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace eh {

struct Worker::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;
  bool is_busy = false;
  bool is_stopping = false;
  std::thread::id runner;  ///< who runs a job, while is_busy

  void work();
  /// A job that gives another one, from a callback of its future, may wait for it: it cannot stand in the queue.
  bool is_inside_job() const { return is_busy && runner == std::this_thread::get_id(); }
};

Worker::Worker(bool has_thread) : has_thread_(has_thread), state_(std::make_shared<State>()) {}

void Worker::need_thread() {
  if (!thread_.joinable()) thread_ = std::thread([state = state_] { state->work(); });
}

void Worker::submit(Job job) {
  if (!has_thread_) return job();
  std::unique_lock lock(state_->mutex);
  if (state_->is_inside_job()) {
    lock.unlock();
    return job();
  }
  state_->jobs.push_back(std::move(job));
  need_thread();
  state_->changed.notify_all();
}

void Worker::run(const Job& job) {
  if (!has_thread_) return job();
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.is_inside_job()) {
    lock.unlock();
    return job();
  }
  if (state.jobs.empty() && !state.is_busy) {
    state.is_busy = true;
    state.runner = std::this_thread::get_id();
    lock.unlock();
    job();
    lock.lock();
    state.is_busy = false;
    state.changed.notify_all();
    return;
  }
  bool is_done = false;
  state.jobs.push_back([&] {
    job();
    const std::lock_guard inner(state.mutex);
    is_done = true;
  });
  need_thread();
  state.changed.notify_all();
  state.changed.wait(lock, [&] { return is_done; });
}

void Worker::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return !is_busy && (is_stopping || !jobs.empty()); });
    if (jobs.empty()) return;
    Job job = std::move(jobs.front());
    jobs.pop_front();
    is_busy = true;
    runner = std::this_thread::get_id();
    lock.unlock();
    job();
    job = nullptr;  // what it holds goes while nobody waits for the lock
    lock.lock();
    is_busy = false;
    changed.notify_all();
  }
}

void Worker::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
    state_->changed.notify_all();
  }
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

}  // namespace eh
