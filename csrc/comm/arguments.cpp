// SPDX-License-Identifier: BSD-3-Clause
#include "comm/arguments.hpp"

#include <functional>

#include "base/error.hpp"
#include "comm/staging.hpp"

namespace eh {

void check_buffer(const char* fn, const char* arg, ConstBuffer buffer) {
  EH_CHECK(buffer.count >= 0, ValueError, fn, ": ", arg, " has count ", buffer.count,
           "; it must be 0 or more");
  EH_CHECK(buffer.count == 0 || buffer.data != nullptr, ValueError, fn, ": ", arg, " has ", buffer.count,
           " elements but a null pointer; only an empty buffer may be null");
  if (buffer.device == Device::Cuda && buffer.count > 0) staging_hooks();
}

void check_pair(const char* fn, ConstBuffer send, ConstBuffer recv) {
  check_buffer(fn, "send", send);
  check_buffer(fn, "recv", recv);
  EH_CHECK(send.dtype == recv.dtype, TypeError, fn, ": send has dtype ", name_of(send.dtype),
           " but recv has ", name_of(recv.dtype), "; both must be the same");
}

void check_count(const char* fn, const char* arg, std::int64_t count, std::int64_t expected,
                 const char* what) {
  EH_CHECK(count == expected, ValueError, fn, ": ", arg, " has ", count, " elements; it must have ", expected,
           " (", what, ")");
}

std::int64_t check_counts(const char* fn, const char* arg, const Counts& counts, int size) {
  EH_CHECK(counts.size() == static_cast<std::size_t>(size), ValueError, fn, ": ", arg, " has ", counts.size(),
           " entries; it must have one for each of the ", size, " ranks");
  std::int64_t total = 0;
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    EH_CHECK(counts[rank] >= 0, ValueError, fn, ": ", arg, "[", rank, "] is ", counts[rank],
             "; it must be 0 or more");
    total += counts[rank];
  }
  return total;
}

void check_root(const char* fn, int root, int size) {
  EH_CHECK(0 <= root && root < size, ValueError, fn, ": root ", root, " is out of range for ", size,
           " ranks; it must be 0 to ", size - 1);
}

void check_peer(const char* fn, const char* arg, int peer, int size) {
  EH_CHECK(-1 <= peer && peer < size, ValueError, fn, ": ", arg, " ", peer, " is out of range for ", size,
           " ranks; it must be 0 to ", size - 1, ", or -1 for nobody");
}

void check_tag(const char* fn, int tag) {
  EH_CHECK(tag >= 0, ValueError, fn, ": tag ", tag, " is negative; it must be 0 or more");
}

void check_disjoint(const char* fn, ConstBuffer send, ConstBuffer recv) {
  if (send.count == 0 || recv.count == 0 || send.device != recv.device) return;
  const auto begin_of = [](ConstBuffer b) { return static_cast<const char*>(b.data); };
  const auto end_of = [&](ConstBuffer b) {
    return begin_of(b) + static_cast<std::size_t>(b.count) * size_of(b.dtype);
  };
  const std::less_equal<const char*> at_most;
  EH_CHECK(at_most(end_of(send), begin_of(recv)) || at_most(end_of(recv), begin_of(send)), ValueError, fn,
           ": send and recv overlap in memory; they must be separate buffers");
}

}  // namespace eh
