// SPDX-License-Identifier: BSD-3-Clause
// Runs under smpirun: simulated ranks in one process, each with a copy of this library.
//   (nothing)          checks all results; the simulator adds deadlocks, mismatches and leaks
//   --mistake KIND     makes one, to see that it is reported
//   --time BYTES       simulated times of the collectives up to that size
#include <mpi.h>

#include <cstdlib>
#include <cstring>

#include "comm/large.hpp"
#include "comm/lifetime.hpp"
#include "support.hpp"

namespace {

using namespace eh;
using namespace eh::simulated;

void check_all(const Communicator& comm, Tally& tally) {
  check_collectives(comm, tally);
  check_messages(comm, tally);
  check_plans(comm, tally);
}

void check(const Communicator& comm) {
  Tally tally;
  check_all(comm, tally);
  if (comm.size() <= kManyRanks) {
    set_max_count(4);  // the ways of messages that 32-bit counts do not hold
    check_all(comm, tally);
  }
  const std::vector<std::int64_t> mine = {tally.checks, tally.wrong};
  std::vector<std::int64_t> all(2);
  comm.allreduce(input(mine), output(all), ReduceOp::Sum);
  if (comm.rank() == 0)
    std::printf("simulated: %lld checks on %d ranks, %lld wrong\n", static_cast<long long>(all[0]),
                comm.size(), static_cast<long long>(all[1]));
}

int run(int argc, char** argv) {
  const auto comm = Communicator::world();
  const char* option = argc > 2 ? argv[1] : "";
  if (std::strcmp(option, "--mistake") == 0) return make_mistake(*comm, argv[2]) ? 0 : 2;
  if (std::strcmp(option, "--time") == 0)
    time_collectives(*comm, std::atoll(argv[2]));
  else
    check(*comm);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int code = run(argc, argv);
  run_finalize_hooks();
  MPI_Finalize();
  return code;
}
