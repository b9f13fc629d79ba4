// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "comm/call.hpp"

/// Which calls took how long, while somebody wants to know. Times are those of the monotonic clock, in nanoseconds: on one
/// node it is the same for all processes.
namespace eh {

struct Span {
  const char* name = "";
  std::int64_t start = 0;
  std::int64_t blocked = 0;  ///< when the program began to wait: `start` of blocking calls
  std::int64_t end = 0;
  std::int64_t bytes = 0;    ///< of this rank's input
  std::uint64_t comm = 0;    ///< the same on all ranks of a communicator
  std::int64_t number = -1;  ///< of the collective on its communicator; -1: a message
  std::int32_t ranks = 1;
  std::int32_t thread = 0;
  bool nonblocking = false;
  std::string line;  ///< of the user's program, if asked for
};

extern std::atomic<bool> tracing;

/// Forgets the calls recorded and records from now on. `lines`: with the line of the program each call is made at.
void start_trace(bool lines);
/// What was recorded, in order of completion; nothing more is.
std::vector<Span> stop_trace();

/// A call that begins now.
Span span_of(const Call& call, std::int64_t bytes);
void record_span(Span span);
std::int64_t nanoseconds();

}  // namespace eh
