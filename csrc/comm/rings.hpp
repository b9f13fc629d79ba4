// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <vector>

#include "comm/node.hpp"
#include "kernels/pack.hpp"

/// Between each pair of ranks of a node there is a ring of chunks in shared memory. Views are packed straight into it by
/// one rank and unpacked out of it by the other; or a chunk says where the rows of a view lie, for the other to pull them.
namespace eh {

/// One side of an exchange: views to send to, or to fill from, one rank, one behind another.
using Stream = std::vector<StridedView>;

/// A stream and how much of it has moved.
class Progress {
 public:
  explicit Progress(const Stream& stream);
  std::int64_t left() const { return left_; }
  /// Whether it is few views of long rows.
  bool is_rows() const { return row_ > 0; }
  /// The shortest of these rows, in bytes.
  std::int64_t row() const { return row_; }
  /// The next n bytes, row by row.
  std::vector<Memory> next_rows(std::int64_t bytes);
  /// The next bytes where they lie, if all that is left is contiguous; else null.
  const std::byte* memory() const;
  /// move(view, first, n, place) for the next n bytes, at most `bytes` together.
  template <typename Move>
  void next(std::int64_t bytes, const Move& move);

 private:
  Stream stream_;
  std::size_t view_ = 0;
  std::int64_t within_ = 0;
  std::int64_t left_ = 0;
  std::int64_t row_;
};

template <typename Move>
void Progress::next(std::int64_t bytes, const Move& move) {
  std::int64_t place = 0;
  while (left_ > 0 && place < bytes) {
    const StridedView& view = stream_[view_];
    const std::int64_t n = std::min(bytes - place, view.bytes() - within_);
    if (n > 0) move(view, within_, n, place);
    place += n;
    left_ -= n;
    within_ += n;
    if (within_ == view.bytes()) {
      ++view_;
      within_ = 0;
    }
  }
}

/// sends[r] of this rank fills recvs[this rank] of rank r. Entries of the own rank are not looked at. The memory of the
/// views must stay as it is until the exchange is complete.
class RingExchange {
 public:
  RingExchange(Node& node, Node::Lane lane, const std::vector<Stream>& sends,
               const std::vector<Stream>& recvs);
  /// Moves what can be moved at once; whether anything was.
  bool advance();
  bool pending() const;
  void complete();

 private:
  bool send_chunk(int peer);
  bool receive_chunk(int peer);
  void write_chunk(Progress& progress, std::byte* chunk, std::int64_t bytes, Way way);
  void read_chunk(Progress& progress, const std::byte* chunk, std::int64_t bytes);
  void pull_chunk(Progress& progress, const std::byte* chunk, std::int64_t bytes, int peer);

  Node& node_;
  Node::Lane lane_;
  std::vector<Progress> out_;
  std::vector<Progress> in_;
  std::vector<std::uint64_t> lent_;  ///< chunks to each rank up to the last one that it has to pull
  bool large_;                       ///< more comes in than a cache keeps
};

}  // namespace eh
