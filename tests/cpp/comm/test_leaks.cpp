// SPDX-License-Identifier: BSD-3-Clause
// A program of its own: after 100,000 calls (EH_LEAK_CALLS) MPI owns as many handles, and the process as much memory, as after a few.
// MPI's profiling interface counts: the functions defined here are called instead of the library's.
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

#include "comm/communicator.hpp"

namespace {

/// Handles made less handles freed; requests only count those that became complete.
struct Handles {
  long types = 0, operations = 0, communicators = 0, completed = 0;
} handles;

}  // namespace

// NOLINTBEGIN: names are MPI's
int MPI_Wait(MPI_Request* request, MPI_Status* status) {
  handles.completed += *request == MPI_REQUEST_NULL ? 0 : 1;
  return PMPI_Wait(request, status);
}
int MPI_Test(MPI_Request* request, int* flag, MPI_Status* status) {
  const bool active = *request != MPI_REQUEST_NULL;
  const int code = PMPI_Test(request, flag, status);
  handles.completed += active && *flag != 0 ? 1 : 0;
  return code;
}
int MPI_Type_contiguous(int count, MPI_Datatype old_type, MPI_Datatype* new_type) {
  ++handles.types;
  return PMPI_Type_contiguous(count, old_type, new_type);
}
int MPI_Type_create_struct(int count, const int lengths[], const MPI_Aint displacements[],
                           const MPI_Datatype types[], MPI_Datatype* new_type) {
  ++handles.types;
  return PMPI_Type_create_struct(count, lengths, displacements, types, new_type);
}
int MPI_Type_free(MPI_Datatype* type) {
  --handles.types;
  return PMPI_Type_free(type);
}
int MPI_Op_create(MPI_User_function* function, int commutes, MPI_Op* op) {
  ++handles.operations;
  return PMPI_Op_create(function, commutes, op);
}
int MPI_Comm_dup(MPI_Comm comm, MPI_Comm* copy) {
  ++handles.communicators;
  return PMPI_Comm_dup(comm, copy);
}
int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm* part) {
  handles.communicators += color == MPI_UNDEFINED ? 0 : 1;
  return PMPI_Comm_split(comm, color, key, part);
}
int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm* part) {
  ++handles.communicators;
  return PMPI_Comm_split_type(comm, type, key, info, part);
}
int MPI_Comm_free(MPI_Comm* comm) {
  --handles.communicators;
  return PMPI_Comm_free(comm);
}
// NOLINTEND

namespace {

using namespace eh;

long resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

long open_files() {
  long number = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (folder != nullptr && readdir(folder) != nullptr) ++number;
  if (folder != nullptr) closedir(folder);
  return number;
}

long mappings() {
  std::ifstream maps("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
}

/// Calls of one round, and the requests among them.
constexpr long kCalls = 10, kRequests = 4;

/// 70 elements: with the lowered limit of test_comm_int_counts these are large messages, of derived types.
void one_round(const Communicator& comm, std::vector<float>& x, std::vector<float>& y) {
  const Counts counts(static_cast<std::size_t>(comm.size()), 70);
  constexpr std::int64_t n = 70, few = 60;  // reductions of large messages are several requests
  const int next = (comm.rank() + 1) % comm.size(), previous = (comm.rank() + comm.size() - 1) % comm.size();
  const ConstBuffer part{x.data(), n, DType::Float32};
  const Buffer out{y.data(), n, DType::Float32};
  const Buffer whole{y.data(), n * comm.size(), DType::Float32};
  comm.allreduce(part, out, ReduceOp::Sum);
  comm.iallreduce({x.data(), few, DType::BFloat16}, {y.data(), few, DType::BFloat16}, ReduceOp::Max).wait();
  comm.alltoallv({x.data(), n * comm.size(), DType::Float32}, counts, whole, counts);
  comm.iallgatherv(part, whole, counts).wait();
  auto incoming = comm.irecv(out, previous);
  auto outgoing = comm.isend(part, next);
  incoming.wait();
  while (!outgoing.test()) {
  }
  comm.sendrecv(part, next, out, previous);
  comm.bcast({x.data(), n, DType::Float32}, 0);
  comm.scan(part, out, ReduceOp::Max);
  comm.barrier();
}

void rounds(const Communicator& comm, long number) {
  std::vector<float> x(static_cast<std::size_t>(70 * comm.size()), 1.f), y(x.size());
  for (long round = 0; round < number; ++round) {
    one_round(comm, x, y);
    if (round % 500 == 0) one_round(*comm.split(comm.rank() % 2, 0)->dup(), x, y);
  }
}

int expect(bool condition, const char* what, long before, long after) {
  if (!condition) std::fprintf(stderr, "test_leaks: %s: %ld, later %ld\n", what, before, after);
  return condition ? 0 : 1;
}

int grows(const Communicator& comm, long number) {
  rounds(comm, number / 10);
  const Handles before = handles;
  const long memory = resident_bytes(), files = open_files(), maps = mappings();
  rounds(comm, number);
  const long more = resident_bytes(), requests = handles.completed - before.completed;
  const long started = kRequests * (number + (number + 499) / 500);
  return expect(requests == started, "requests", started, requests) +
         expect(handles.types == before.types, "datatypes", before.types, handles.types) +
         expect(handles.operations == before.operations, "operations", before.operations,
                handles.operations) +
         expect(handles.communicators == before.communicators, "communicators", before.communicators,
                handles.communicators) +
         expect(open_files() == files, "open files", files, open_files()) +
         expect(mappings() <= maps + 8, "mappings", maps, mappings()) +
         expect(more - memory < 1 << 20, "resident bytes", memory, more);
}

}  // namespace

int main(int argc, char** argv) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
  const long number = argc > 1 ? std::atol(argv[1]) : EH_LEAK_CALLS / kCalls;
  const int failures = grows(*Communicator::world(), number);
  if (failures != 0) MPI_Abort(MPI_COMM_WORLD, failures);
  MPI_Finalize();
  return 0;
}
