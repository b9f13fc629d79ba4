// SPDX-License-Identifier: BSD-3-Clause
// Our blocking calls beside the C calls of MPI on the same buffers, and beside a plain copy of the bytes that every rank
// has to write: the bound of what memory allows.
//
//   ninja -C build/release bench_comm_raw && mpiexec -n 2 build/release/benchmarks/bench_comm_raw [most bytes]
//
// EQUIHEAT_SHM=0 measures what our layer adds to MPI, EQUIHEAT_SHM=1 (the default) what the shared window gains. Blocks of
// the three alternate within one run; times are medians over blocks of the slowest rank's time per call.
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/large.hpp"

namespace {

using namespace eh;
using Call = std::function<void()>;

constexpr int kBlocks = 15;
constexpr std::int64_t kSizes[] = {8, 1 << 10, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26};

double seconds_per_call(const Call& call, int calls) {
  MPI_Barrier(MPI_COMM_WORLD);
  const double begin = MPI_Wtime();
  for (int i = 0; i < calls; ++i) call();
  double mine = (MPI_Wtime() - begin) / calls, all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return all;
}

/// Median microseconds of each, measured in turns.
std::vector<double> compare(const std::vector<Call>& calls, int loops) {
  std::vector<std::vector<double>> times(calls.size());
  for (int block = 0; block <= kBlocks; ++block)
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const double time = seconds_per_call(calls[i], loops);
      if (block > 0) times[i].push_back(time * 1e6);
    }
  std::vector<double> medians;
  for (auto& of_call : times) {
    std::nth_element(of_call.begin(), of_call.begin() + kBlocks / 2, of_call.end());
    medians.push_back(of_call[kBlocks / 2]);
  }
  return medians;
}

struct Operation {
  const char* name;
  Call ours;
  Call raw;
  std::int64_t written;  ///< bytes that every rank writes at least
};

std::vector<Operation> operations(const Communicator& comm, std::vector<float>& x, std::vector<float>& y,
                                  std::int64_t n) {
  const int p = comm.size(), next = (comm.rank() + 1) % p, previous = (comm.rank() + p - 1) % p;
  float *in = x.data(), *out = y.data();
  const ConstBuffer send{in, n, DType::Float32};
  const Buffer recv{out, n, DType::Float32}, whole{out, n * p, DType::Float32};
  const std::int64_t each = n / p, bytes = n * 4;
  const auto all = static_cast<MpiCount>(n), part = static_cast<MpiCount>(each);
  return {
      {"allreduce", [=, &comm] { comm.allreduce(send, recv, ReduceOp::Sum); },
       [=] { EH_LARGE(MPI_Allreduce)(in, out, all, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD); }, bytes},
      {"bcast", [=, &comm] { comm.bcast(recv, 0); },
       [=] { EH_LARGE(MPI_Bcast)(out, all, MPI_FLOAT, 0, MPI_COMM_WORLD); }, bytes},
      {"allgather", [=, &comm] { comm.allgather(send, whole); },
       [=] { EH_LARGE(MPI_Allgather)(in, all, MPI_FLOAT, out, all, MPI_FLOAT, MPI_COMM_WORLD); }, bytes * p},
      {"alltoall",
       [=, &comm] { comm.alltoall({in, each * p, DType::Float32}, {out, each * p, DType::Float32}); },
       [=] { EH_LARGE(MPI_Alltoall)(in, part, MPI_FLOAT, out, part, MPI_FLOAT, MPI_COMM_WORLD); }, bytes},
      {"sendrecv", [=, &comm] { comm.sendrecv(send, next, recv, previous); },
       [=] {
         EH_LARGE(MPI_Sendrecv)(in, all, MPI_FLOAT, next, 0, out, all, MPI_FLOAT, previous, 0, MPI_COMM_WORLD,
                                MPI_STATUS_IGNORE);
       },
       bytes},
  };
}

void measure(const Communicator& comm, std::int64_t bytes) {
  const std::int64_t n = bytes / 4;
  const auto whole = static_cast<std::size_t>(n * comm.size());
  std::vector<float> x(whole, 1.f), y(whole);
  const int loops = static_cast<int>(std::clamp<std::int64_t>((std::int64_t{8} << 20) / bytes, 1, 300));
  for (const Operation& op : operations(comm, x, y, n)) {
    const Call copy = [&] { std::memcpy(y.data(), x.data(), static_cast<std::size_t>(op.written)); };
    const auto times = compare({op.ours, op.raw, copy}, loops);
    if (comm.rank() == 0)
      std::printf(
          "%-9s %9lld B  ours %10.2f us  raw MPI %10.2f us  copy %10.2f us  raw/ours %5.2f  ours/copy "
          "%7.2f\n",
          op.name, static_cast<long long>(bytes), times[0], times[1], times[2], times[1] / times[0],
          times[0] / times[2]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);  // as mpi4py does
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const std::int64_t most = argc > 1 ? std::atoll(argv[1]) : kSizes[std::size(kSizes) - 1];
  {
    const auto comm = Communicator::world();
    for (const std::int64_t bytes : kSizes)
      if (bytes <= most) measure(*comm, bytes);
  }
  MPI_Finalize();
  return 0;
}
