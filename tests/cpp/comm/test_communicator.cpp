// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"
#include "support.hpp"

using namespace eh;
using namespace eh::test;

namespace {

int sum_of_ranks(const Communicator& comm) {
  Array<int> one(1, comm.rank()), sum(1);
  comm.allreduce(one.buffer(), sum.buffer(), ReduceOp::Sum);
  return sum[0];
}

}  // namespace

TEST_CASE("world and self") {
  const auto self = Communicator::self();
  CHECK(self->size() == 1);
  CHECK(self->rank() == 0);
  CHECK(world().rank() < world().size());
  CHECK(sum_of_ranks(world()) == world().size() * (world().size() - 1) / 2);
  CHECK(sum_of_ranks(*self) == 0);
}

TEST_CASE("a duplicate outlives its origin and does not mix messages with it") {
  auto origin = world().dup();
  const auto copy = origin->dup();
  CHECK(copy->rank() == origin->rank());
  CHECK(copy->fortran_handle() != origin->fortran_handle());
  const int next = (world().rank() + 1) % world().size();
  const int previous = (world().rank() + world().size() - 1) % world().size();
  const Array<int> one(1, 1), two(1, 2);
  Array<int> from_origin(1), from_copy(1);
  auto first = origin->isend(one.buffer(), next);
  auto second = copy->isend(two.buffer(), next);
  copy->recv(from_copy.buffer(), previous);
  origin->recv(from_origin.buffer(), previous);
  CHECK(from_copy[0] == 2);
  CHECK(from_origin[0] == 1);
  first.wait();
  origin.reset();
  CHECK(sum_of_ranks(*copy) == sum_of_ranks(world()));
}

TEST_CASE("split by color, ordered by key; a negative color is outside") {
  const auto& comm = world();
  const auto half = comm.split(comm.rank() % 2, -comm.rank());
  REQUIRE(half != nullptr);
  CHECK(half->size() == (comm.size() + 1 - comm.rank() % 2) / 2);
  CHECK(half->rank() == half->size() - 1 - comm.rank() / 2);
  const auto some = comm.split(comm.rank() == 0 ? -1 : 0, comm.rank());
  CHECK((some == nullptr) == (comm.rank() == 0));
  if (some) CHECK(some->size() == comm.size() - 1);
  if (some) CHECK(sum_of_ranks(*some) == (comm.size() - 1) * (comm.size() - 2) / 2);
}

TEST_CASE("a communicator by its Fortran handle") {
  const auto copy = Communicator::from_fortran(world().fortran_handle());
  CHECK(copy->size() == world().size());
  CHECK(sum_of_ranks(*copy) == sum_of_ranks(world()));
}

TEST_CASE("many communicators come and go") {
  for (int i = 0; i < 300; ++i) CHECK(world().dup()->size() == world().size());
}

TEST_CASE("what the library says of itself") {
  CHECK(mpi_initialized());
  CHECK(!mpi_finalized());
  CHECK(!mpi_library_version().empty());
  CHECK(mpi_thread_level() == "multiple");
  CHECK((mpi_comm_size_of() == 4 || mpi_comm_size_of() == 8));
}
