// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/mpi.hpp"
#include "comm/trace.hpp"
#include "comm/watchdog.hpp"

namespace eh {

/// What an operation under way needs until it is complete.
struct Request::Impl {
  Impl() = default;
  Impl(Impl&&) = default;
  Impl& operator=(Impl&&) = default;
  ~Impl();
  /// Waits for the messages, then runs the completions in their order. Idempotent.
  void wait();
  bool test();
  /// wait() that gives the core away between looks; MPI's own wait spins.
  void wait_politely();

  /// Checked mode: the comparison of this call with the other ranks', which comes before waiting for any message.
  struct Comparison {
    std::function<void()> wait;
    std::function<bool()> ready;
  };
  std::optional<Comparison> comparison;
  std::optional<Call> call;     ///< set when calls are recorded
  std::unique_ptr<Span> span;   ///< set while calls are traced; null in what was moved away
  std::shared_ptr<int> source;  ///< takes the rank a message came from
  std::vector<MPI_Request> requests;
  std::vector<std::function<void()>> completions;
  std::vector<std::shared_ptr<void>> alive;

 private:
  void compare();
  void finish();
};

/// One operation being started: the same code path issues MPI's blocking or its non-blocking function.
class Flight {
 public:
  enum Mode : bool { Blocking, NonBlocking };
  /// `polite`: a blocking operation is started and polled (comm/groups.hpp).
  explicit Flight(Mode mode, bool polite = false) : mode_(mode), polite_(polite) {}

  bool is_blocking() const { return mode_ == Blocking; }

  /// Calls one of a pair of MPI functions; the second takes a request behind the same arguments.
  template <typename BlockingFn, typename NonBlockingFn, typename... Args>
  void issue(const char* name, BlockingFn blocking, NonBlockingFn nonblocking, Args... args) {
    if (mode_ == Blocking && !polite_) return check_mpi(blocking(args...), name);
    state_.requests.push_back(MPI_REQUEST_NULL);
    check_mpi(nonblocking(args..., &state_.requests.back()), name);
  }

  /// Stores a value until the operation is complete (MPI reads count arrays of non-blocking calls that long).
  template <typename T>
  std::decay_t<T>& keep(T&& value) {
    auto owner = std::make_shared<std::decay_t<T>>(std::forward<T>(value));
    state_.alive.push_back(owner);
    return *owner;
  }

  /// Address MPI may read; never null. CUDA memory is staged.
  const void* input(ConstBuffer buffer);
  /// Address MPI may write; never null. `reads`: its present contents matter (in-place, partly written).
  void* output(Buffer buffer, bool reads = false);
  /// Runs `action` once the messages have arrived, behind the actions added before.
  void on_completion(std::function<void()> action) { state_.completions.push_back(std::move(action)); }

  /// The call this flight is, for the watchdog.
  void mark(const Call& call) {
    if (mode_ == Blocking)
      running_.start(call);
    else
      state_.call = call;
  }
  void trace(Span span) { state_.span = std::make_unique<Span>(std::move(span)); }
  void tell_source(std::shared_ptr<int> source) { state_.source = std::move(source); }
  void compare_later(Request::Impl::Comparison comparison) { state_.comparison = std::move(comparison); }

  void complete() { polite_ ? state_.wait_politely() : state_.wait(); }
  Request request() { return Request(std::make_unique<Request::Impl>(std::move(state_))); }

 private:
  Mode mode_;
  bool polite_;
  Running running_;
  Request::Impl state_;
};

}  // namespace eh
