// SPDX-License-Identifier: BSD-3-Clause
#include "comm/trace.hpp"

#include <chrono>
#include <mutex>
#include <utility>

namespace eh {
namespace {

struct Trace {
  std::mutex mutex;
  std::vector<Span> spans;
  std::atomic<bool> lines{false};
};

/// Leaked on purpose: threads may end after static destruction.
Trace& trace() {
  static auto* const instance = new Trace;
  return *instance;
}

std::int32_t thread_number() {
  static std::atomic<std::int32_t> threads{0};
  thread_local const std::int32_t mine = threads++;
  return mine;
}

}  // namespace

std::atomic<bool> tracing{false};

std::int64_t nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void start_trace(bool lines) {
  const std::lock_guard lock(trace().mutex);
  trace().spans.clear();
  trace().lines = lines;
  tracing = true;
}

std::vector<Span> stop_trace() {
  tracing = false;
  const std::lock_guard lock(trace().mutex);
  return std::exchange(trace().spans, {});
}

Span span_of(const Call& call, std::int64_t bytes) {
  Span span;
  span.name = name_of(call.kind);
  span.bytes = bytes;
  span.nonblocking = call.nonblocking != 0;
  span.thread = thread_number();
  if (trace().lines) span.line = location();
  span.start = nanoseconds();
  if (!span.nonblocking) span.blocked = span.start;
  return span;
}

void record_span(Span span) {
  span.end = nanoseconds();
  if (span.blocked == 0) span.blocked = span.end;
  const std::lock_guard lock(trace().mutex);
  if (tracing) trace().spans.push_back(std::move(span));
}

}  // namespace eh
