// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>

#include "comm/mpi.hpp"

namespace eh {

/// Whether all ranks say so. Collective.
bool all_agree(MPI_Comm comm, bool mine);

/// Zeroed memory that all ranks of a communicator map. It has no name in the file system: the kernel frees it with the
/// last process that maps it, however that process ends.
class SharedMemory {
 public:
  /// A null pointer, on all ranks alike, when the ranks are not all on one node or the system does not allow it.
  /// `bytes` is the same on all ranks. Collective.
  static std::unique_ptr<SharedMemory> make(MPI_Comm comm, std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::byte* data() const { return data_; }

 private:
  SharedMemory(std::byte* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  std::byte* data_;
  std::size_t bytes_;
};

}  // namespace eh
