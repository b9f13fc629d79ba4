// SPDX-License-Identifier: BSD-3-Clause
#include "comm/large.hpp"

#include <atomic>
#include <cstdlib>

#include "comm/datatypes.hpp"

namespace eh {

#if !(MPI_VERSION >= 4 && !defined(EH_COMM_INT_COUNTS))
namespace {
std::atomic<std::int64_t> largest = std::numeric_limits<int>::max();
}
std::int64_t max_count() { return largest.load(std::memory_order_relaxed); }
void set_max_count(std::int64_t count) { largest.store(count, std::memory_order_relaxed); }
#endif

namespace {

/// What one argument holds when it is an int: also the limit of byte displacements.
std::int64_t int_limit() { return std::min<std::int64_t>(max_count(), std::numeric_limits<int>::max()); }

/// `count` elements that begin `offset` elements behind the address, as one element of a derived type.
Datatype block_type(std::int64_t count, std::int64_t offset, DType dtype) {
  const std::int64_t limit = int_limit();
  const auto bytes = static_cast<std::int64_t>(size_of(dtype));
  const MPI_Datatype element = mpi_type(dtype);
  Datatype piece;
  EH_MPI(MPI_Type_contiguous(static_cast<int>(limit), element, piece.address()));
  const int lengths[] = {static_cast<int>(count / limit), static_cast<int>(count % limit)};
  const MPI_Aint starts[] = {static_cast<MPI_Aint>(offset * bytes),
                             static_cast<MPI_Aint>((offset + count - count % limit) * bytes)};
  const MPI_Datatype types[] = {piece.get(), element};
  Datatype block;
  EH_MPI(MPI_Type_create_struct(2, lengths, starts, types, block.address()));
  EH_MPI(MPI_Type_commit(block.address()));
  return block;
}

/// The arguments of one side of MPI_Alltoallw.
struct Side {
  std::vector<int> counts;
  std::vector<int> displacements;
  std::vector<MPI_Datatype> types;
  std::vector<Datatype> owned;

  void add(const Block& block, DType dtype) {
    const std::int64_t bytes = block.offset * static_cast<std::int64_t>(size_of(dtype));
    const bool plain = block.count == 0 || (block.count <= int_limit() && std::abs(bytes) <= int_limit());
    if (!plain) owned.push_back(block_type(block.count, block.offset, dtype));
    counts.push_back(plain ? static_cast<int>(block.count) : 1);
    displacements.push_back(plain && block.count > 0 ? static_cast<int>(bytes) : 0);
    types.push_back(plain ? mpi_type(dtype) : owned.back().get());
  }
};

Side& side_of(Flight& flight, const Blocks& blocks, DType dtype) {
  Side& side = flight.keep(Side{});
  for (const Block& block : blocks) side.add(block, dtype);
  return side;
}

}  // namespace

Extent extent(Flight& flight, std::int64_t count, DType dtype) {
  if (count <= max_count()) return {static_cast<MpiCount>(count), mpi_type(dtype)};
  return {1, flight.keep(block_type(count, 0, dtype)).get()};
}

Parts packed_parts(Flight& flight, const Counts& counts) { return parts_of(flight, packed_blocks(counts)); }

Parts parts_of(Flight& flight, const Blocks& blocks) {
  auto& sizes = flight.keep(std::vector<MpiCount>());
  auto& starts = flight.keep(std::vector<MpiDisplacement>());
  for (const Block& block : blocks) {
    sizes.push_back(static_cast<MpiCount>(block.count));
    starts.push_back(static_cast<MpiDisplacement>(block.offset));
  }
  return {sizes.data(), starts.data()};
}

Blocks packed_blocks(const Counts& counts) {
  Blocks blocks;
  blocks.reserve(counts.size());
  std::int64_t offset = 0;
  for (const std::int64_t count : counts) {
    blocks.push_back({count, offset});
    offset += count;
  }
  return blocks;
}

void exchange_blocks(Flight& flight, MPI_Comm comm, const void* in, const Blocks& sends, void* out,
                     const Blocks& recvs, DType dtype) {
  const Side& from = side_of(flight, sends, dtype);
  const Side& to = side_of(flight, recvs, dtype);
  flight.issue("MPI_Alltoallw", MPI_Alltoallw, MPI_Ialltoallw, in, from.counts.data(),
               from.displacements.data(), from.types.data(), out, to.counts.data(), to.displacements.data(),
               to.types.data(), comm);
}

}  // namespace eh
