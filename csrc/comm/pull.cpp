// SPDX-License-Identifier: BSD-3-Clause
#include "comm/pull.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/types.h>
#if defined(__linux__)
#include <sys/uio.h>
#endif

#include "base/error.hpp"

namespace eh {
namespace {

/// Pieces of which the first `done` bytes are not wanted any more.
class Rest {
 public:
  explicit Rest(const std::vector<Memory>& pieces) : pieces_(pieces) {}
  bool empty() const { return pieces_.empty(); }
  std::vector<Memory>& pieces() { return pieces_; }
  void drop(std::size_t bytes) {
    std::size_t whole = 0;
    while (whole < pieces_.size() && bytes >= pieces_[whole].bytes) bytes -= pieces_[whole++].bytes;
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(whole));
    if (bytes == 0) return;
    pieces_.front().data += bytes;
    pieces_.front().bytes -= bytes;
  }

 private:
  std::vector<Memory> pieces_;
};

struct Read {
  std::size_t bytes;
  int error;  ///< errno, 0 where it went well
};

#if defined(__linux__)
constexpr std::size_t kMostPieces = 1024;  // IOV_MAX

std::vector<iovec> vectors(const std::vector<Memory>& pieces) {
  std::vector<iovec> list;
  for (std::size_t i = 0; i < std::min(pieces.size(), kMostPieces); ++i)
    list.push_back({pieces[i].data, pieces[i].bytes});
  return list;
}

/// Reads what one call can; returns bytes and, where the system refuses, why.
Read read_some(std::int64_t process, const std::vector<Memory>& to, const std::vector<Memory>& from) {
  const std::vector<iovec> local = vectors(to), remote = vectors(from);
  const ssize_t n = process_vm_readv(static_cast<pid_t>(process), local.data(), local.size(), remote.data(),
                                     remote.size(), 0);
  if (n > 0) return {static_cast<std::size_t>(n), 0};
  return {0, n < 0 ? errno : EFAULT};  // nothing read, no error: the source is shorter than the target
}
#else
Read read_some(std::int64_t, const std::vector<Memory>&, const std::vector<Memory>&) { return {0, ENOSYS}; }
#endif

/// Reads all; returns 0, or the system's number of what went wrong.
int read_all(std::int64_t process, const std::vector<Memory>& to, const std::vector<Memory>& from) {
  Rest target(to), source(from);
  target.drop(0);
  source.drop(0);
  while (!target.empty()) {
    const Read read = read_some(process, target.pieces(), source.pieces());
    if (read.error != 0) return read.error;
    target.drop(read.bytes);
    source.drop(read.bytes);
  }
  return 0;
}

}  // namespace

bool try_pull(std::int64_t process, const std::vector<Memory>& to, const std::vector<Memory>& from) {
  return read_all(process, to, from) == 0;
}

void pull(std::int64_t process, const std::vector<Memory>& to, const std::vector<Memory>& from) {
  const int error = read_all(process, to, from);
  EH_CHECK(error == 0, CommError, "the memory of process ", process,
           " could not be read: ", std::strerror(error),
           "; set EQUIHEAT_PULL=0 to exchange through shared memory alone");
}

}  // namespace eh
