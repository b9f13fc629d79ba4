// SPDX-License-Identifier: BSD-3-Clause
// Simulated times: what the messages of an algorithm cost on the platform's network. Computation costs nothing there.
#include <mpi.h>

#include <algorithm>
#include <functional>

#include "support.hpp"

namespace eh::simulated {
namespace {

double slowest_microseconds(const Communicator& comm, const std::function<void()>& call) {
  comm.barrier();
  const double begin = MPI_Wtime();
  call();
  const std::vector<double> mine = {(MPI_Wtime() - begin) * 1e6};
  std::vector<double> all(1);
  comm.allreduce(input(mine), output(all), ReduceOp::Max);
  return all[0];
}

}  // namespace

void time_collectives(const Communicator& comm, std::int64_t most_bytes) {
  const int size = comm.size();
  const int next = (comm.rank() + 1) % size, previous = (comm.rank() + size - 1) % size;
  for (std::int64_t bytes = 1024; bytes <= most_bytes; bytes *= 32) {
    std::vector<float> x(static_cast<std::size_t>(bytes / 4)), y(x.size());
    const std::size_t part = std::max<std::size_t>(x.size() / static_cast<std::size_t>(size), 1);
    std::vector<float> few(part), all(part * static_cast<std::size_t>(size)), back(all.size());
    const std::pair<const char*, std::function<void()>> calls[] = {
        {"allreduce", [&] { comm.allreduce(input(x), output(y), ReduceOp::Sum); }},
        {"bcast", [&] { comm.bcast(output(x), 0); }},
        {"allgather", [&] { comm.allgather(input(few), output(all)); }},
        {"alltoall", [&] { comm.alltoall(input(all), output(back)); }},
        {"halo", [&] { comm.sendrecv(input(x), next, output(y), previous); }},
    };
    for (const auto& [name, call] : calls) {
      const double time = slowest_microseconds(comm, call);
      if (comm.rank() == 0)
        std::printf("simulated %-9s %4d ranks %9lld B per rank %12.1f us\n", name, size,
                    static_cast<long long>(bytes), time);
    }
  }
}

}  // namespace eh::simulated
