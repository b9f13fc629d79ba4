// SPDX-License-Identifier: BSD-3-Clause
// A program of its own: what happens to communicators, operations and requests around MPI_Finalize.
#include <mpi.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "comm/communicator.hpp"

namespace {

// Destroyed after main, hence after MPI_Finalize.
std::shared_ptr<eh::Communicator> until_exit;
eh::Request finished;

bool throws_comm_error(void (*action)()) {
  try {
    action();
  } catch (const eh::CommError&) {
    return true;
  }
  return false;
}

int expect(bool condition, const char* what) {
  if (!condition) std::fprintf(stderr, "test_lifetime: %s\n", what);
  return condition ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  int failures =
      expect(throws_comm_error([] { (void)eh::Communicator::world(); }), "world() before MPI_Init");
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
  until_exit = eh::Communicator::world();
  auto destroyed_after_finalize = until_exit->dup();
  const auto leaked_part = until_exit->split(until_exit->rank() % 2, 0);
  std::vector<double> x(10, 1.0), y(10);
  const eh::ConstBuffer send{x.data(), 10, eh::DType::Float64};
  const eh::Buffer recv{y.data(), 10, eh::DType::Float64};
  until_exit->allreduce(send, recv, eh::ReduceOp::Max);  // makes an operation of our own
  finished = until_exit->iallreduce(send, recv, eh::ReduceOp::Max);
  finished.wait();
  MPI_Finalize();
  destroyed_after_finalize.reset();
  failures += expect(throws_comm_error([] { until_exit->barrier(); }), "barrier after MPI_Finalize");
  failures += expect(throws_comm_error([] { (void)eh::Communicator::self(); }), "self() after MPI_Finalize");
  return failures;
}
