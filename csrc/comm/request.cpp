// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>
#include <thread>
#include <utility>

#include "comm/flight.hpp"

namespace eh {

Request::Impl::~Impl() {
  try {
    if (!mpi_finalized()) wait();
  } catch (...) {  // an error nobody waited for has no one left to go to
  }
}

/// Ranks that do not agree have started different operations, which may never end and still own their buffers.
void Request::Impl::compare() {
  const auto ours = std::exchange(comparison, std::nullopt);
  if (!ours) return;
  try {
    ours->wait();
  } catch (...) {
    auto* lost = new Impl;
    std::swap(lost->requests, requests);
    std::swap(lost->alive, alive);
    completions.clear();
    throw;
  }
}

void Request::Impl::wait() {
  Running running;
  if (call && !requests.empty()) running.start(*call);
  if (span && span->blocked == 0) span->blocked = nanoseconds();
  compare();
  // One by one: MPI_Waitall would only say that some status holds an error.
  while (!requests.empty()) {
    MPI_Request request = requests.back();
    requests.pop_back();
    MPI_Status status;
    EH_MPI(MPI_Wait(&request, &status));
    if (source) *source = status.MPI_SOURCE;
  }
  finish();
}

bool Request::Impl::test() {
  if (comparison && !comparison->ready()) return false;
  compare();
  while (!requests.empty()) {
    int done = 0;
    MPI_Request& request = requests.back();
    MPI_Status status;
    const int code = MPI_Test(&request, &done, &status);
    if (code == MPI_SUCCESS && !done) return false;
    if (code == MPI_SUCCESS && source) *source = status.MPI_SOURCE;
    requests.pop_back();
    check_mpi(code, "MPI_Test");
  }
  finish();
  return true;
}

void Request::Impl::wait_politely() {
  constexpr int kYields = 2000;
  if (span && span->blocked == 0) span->blocked = nanoseconds();
  for (int turns = 0; !test(); ++turns) {
    if (turns < kYields)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

void Request::Impl::finish() {
  for (auto& action : std::exchange(completions, {})) action();
  if (const auto done = std::exchange(span, nullptr)) record_span(std::move(*done));
  alive.clear();
}

Request::Request() = default;
Request::Request(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;
Request::~Request() = default;

void Request::wait() {
  if (impl_) impl_->wait();
}

bool Request::test() { return !impl_ || impl_->test(); }

void Request::keep_alive(std::shared_ptr<void> object) {
  if (impl_ && !(impl_->requests.empty() && impl_->completions.empty()))
    impl_->alive.push_back(std::move(object));
}

}  // namespace eh
