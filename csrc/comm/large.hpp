// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "comm/flight.hpp"

/// Counts beyond 2^31. MPI 4 has a 64-bit form of every function ("_c"): then that one is always called.
/// Older libraries take int: beyond it, data is described by derived types or reduced piece by piece.
namespace eh {

#if MPI_VERSION >= 4 && !defined(EH_COMM_INT_COUNTS)
#define EH_LARGE(function) function##_c
using MpiCount = MPI_Count;
using MpiDisplacement = MPI_Aint;
inline constexpr bool kLargeCounts = true;
/// Largest number of elements one MPI argument holds.
constexpr std::int64_t max_count() { return std::numeric_limits<std::int64_t>::max(); }
#else
#define EH_LARGE(function) function
using MpiCount = int;
using MpiDisplacement = int;
inline constexpr bool kLargeCounts = false;
/// Largest number of elements one MPI argument holds.
std::int64_t max_count();
/// Lowers max_count() so that a test reaches the code for large messages with small ones.
void set_max_count(std::int64_t count);
#endif

/// `count` elements as MPI takes them.
struct Extent {
  MpiCount count;
  MPI_Datatype type;
};
Extent extent(Flight& flight, std::int64_t count, DType dtype);

/// Per-rank counts and displacements of parts that lie packed.
struct Parts {
  const MpiCount* counts;
  const MpiDisplacement* displacements;
};
/// @pre the sum of the counts is at most max_count()
Parts packed_parts(Flight& flight, const Counts& counts);

/// The part that goes to or comes from one rank, in elements.
struct Block {
  std::int64_t count = 0;
  std::int64_t offset = 0;
};
using Blocks = std::vector<Block>;
/// Blocks that lie packed one behind another.
Blocks packed_blocks(const Counts& counts);

/// @pre every count and offset is at most max_count()
Parts parts_of(Flight& flight, const Blocks& blocks);

/// All-to-all of blocks of any size with 32-bit counts. Every rank has to call it. Collective.
void exchange_blocks(Flight& flight, MPI_Comm comm, const void* in, const Blocks& sends, void* out,
                     const Blocks& recvs, DType dtype);

/// Calls f(offset, n) for consecutive pieces that MPI can count; once with n == 0 for nothing.
template <typename F>
void for_pieces(std::int64_t count, F f) {
  std::int64_t offset = 0;
  do {
    const std::int64_t n = std::min(count - offset, max_count());
    f(offset, static_cast<MpiCount>(n));
    offset += n;
  } while (offset < count);
}

inline const void* advance(const void* data, std::int64_t elements, DType dtype) {
  return static_cast<const char*>(data) + elements * static_cast<std::int64_t>(size_of(dtype));
}
inline void* advance(void* data, std::int64_t elements, DType dtype) {
  return static_cast<char*>(data) + elements * static_cast<std::int64_t>(size_of(dtype));
}

}  // namespace eh
