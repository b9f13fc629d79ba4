// SPDX-License-Identifier: BSD-3-Clause
#include "comm/shared_memory.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace eh {

bool all_agree(MPI_Comm comm, bool mine) {
  int flag = mine ? 1 : 0;
  EH_MPI(MPI_Allreduce(MPI_IN_PLACE, &flag, 1, MPI_INT, MPI_MIN, comm));
  return flag != 0;
}

namespace {

/// A file descriptor that is closed.
struct File {
  explicit File(int owned) : fd(owned) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
  int fd;
};

bool on_one_node(MPI_Comm comm) {
  int size = 0;
  int local_size = 0;
  MPI_Comm local = MPI_COMM_NULL;
  EH_MPI(MPI_Comm_size(comm, &size));
  EH_MPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local));
  EH_MPI(MPI_Comm_size(local, &local_size));
  EH_MPI(MPI_Comm_free(&local));
  return all_agree(comm, size == local_size);
}

std::byte* map(int fd, std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

/// Where the others find rank 0's file, and what they must read there: /proc may be that of another container.
struct Address {
  std::int64_t process;
  std::int64_t fd;
  std::int64_t token;
};

int create(std::size_t bytes) {
  const int fd = memfd_create("equiheat", MFD_CLOEXEC);
  if (fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

int open_of(const Address& address) {
  const std::string path = "/proc/" + std::to_string(address.process) + "/fd/" + std::to_string(address.fd);
  return open(path.c_str(), O_RDWR | O_CLOEXEC);
}

std::int64_t new_token() {
  return std::chrono::steady_clock::now().time_since_epoch().count() ^ (std::int64_t{getpid()} << 40);
}

}  // namespace

std::unique_ptr<SharedMemory> SharedMemory::make(MPI_Comm comm, std::size_t bytes) {
  if (!on_one_node(comm)) return nullptr;
  int rank = 0;
  EH_MPI(MPI_Comm_rank(comm, &rank));
  Address address{};
  const File own(rank == 0 ? create(bytes) : -1);
  std::byte* memory = rank == 0 && own.fd >= 0 ? map(own.fd, bytes) : nullptr;
  if (rank == 0) {
    address = {getpid(), own.fd, new_token()};
    if (memory != nullptr) *reinterpret_cast<std::int64_t*>(memory) = address.token;
  }
  EH_MPI(MPI_Bcast(&address, 3, MPI_INT64_T, 0, comm));
  if (rank != 0 && address.fd >= 0) {
    const File other(open_of(address));
    memory = other.fd < 0 ? nullptr : map(other.fd, bytes);
  }
  auto shared = memory == nullptr ? nullptr : std::unique_ptr<SharedMemory>(new SharedMemory(memory, bytes));
  const bool mine = shared != nullptr && *reinterpret_cast<std::int64_t*>(memory) == address.token;
  // Behind this, rank 0 may close its file: all have opened it.
  return all_agree(comm, mine) ? std::move(shared) : nullptr;
}

SharedMemory::~SharedMemory() { munmap(data_, bytes_); }

}  // namespace eh
