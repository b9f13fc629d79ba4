// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

/// What a rank is about to do, in a form that ranks can compare and people can read.
namespace eh {

enum class CallKind : std::uint8_t {
  Barrier,
  Allreduce,
  Reduce,
  Bcast,
  Allgather,
  Allgatherv,
  Gather,
  Gatherv,
  Scatter,
  Scatterv,
  Alltoall,
  Alltoallv,
  ReduceScatter,
  Scan,
  Exscan,
  Dup,
  Split,
  Exchange,
  Send,
  Recv,
  SendRecv
};

/// Plain data without padding: compared and sent byte by byte.
struct Call {
  static constexpr std::int16_t kNone = -1;
  static constexpr int kMostAxes = 6;

  CallKind kind = CallKind::Barrier;
  std::uint8_t nonblocking = 0;
  std::int16_t dtype = kNone;
  std::int16_t op = kNone;
  std::int16_t axes = kNone;  ///< of the tensor, where the caller has one whose shape must agree
  std::int32_t root = kNone;
  std::int32_t unused = 0;
  std::int64_t count = kNone;  ///< elements that must be the same on all ranks
  std::uint64_t counts = 0;    ///< hash of one count per rank
  std::int64_t shape[kMostAxes] = {};

  explicit Call(CallKind k = CallKind::Barrier) : kind(k) {}
  Call& of(ConstBuffer buffer);
  Call& typed(DType type);
  Call& with(ReduceOp reduce_op);
  Call& at(int rank);
  Call& with(const Counts& per_rank);
  bool operator==(const Call& other) const;
  bool operator!=(const Call& other) const { return !(*this == other); }
};

/// "allreduce".
const char* name_of(CallKind kind);
/// "allreduce(float32, 10 elements, shape (2, 5), Sum)".
std::string text_of(const Call& call);

/// While it lives, collectives of this thread are on a tensor of this shape, which the ranks then compare too.
class ShapeNote {
 public:
  ShapeNote(const std::int64_t* shape, std::size_t axes);
  ~ShapeNote();
  ShapeNote(const ShapeNote&) = delete;
};

/// While it lives, calls of this thread are made on behalf of that line of the user's program, which another thread ran.
class LocationNote {
 public:
  explicit LocationNote(const std::string& line);
  ~LocationNote();
  LocationNote(const LocationNote&) = delete;
};

/// Finds the line of the user's program that is running: "train.py:12 in step". Empty without a hook.
void set_location_hook(std::string (*hook)());
std::string location();

}  // namespace eh
