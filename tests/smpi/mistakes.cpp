// SPDX-License-Identifier: BSD-3-Clause
// Programs that are wrong: what real MPIs pass over in silence or hang on, the simulator must name.
#include <mpi.h>

#include <cstring>

#include "support.hpp"

namespace eh::simulated {

bool make_mistake(const Communicator& comm, const char* kind) {
  const bool odd = comm.rank() == comm.size() - 1;
  const auto is = [kind](const char* name) { return std::strcmp(kind, name) == 0; };
  std::vector<double> x(8), y(8);
  std::vector<std::int64_t> whole(8);
  if (is("deadlock"))
    comm.recv(output(x), (comm.rank() + 1) % comm.size());
  else if (is("kind") && odd)
    comm.bcast(output(x), 0);
  else if (is("kind"))
    comm.allreduce(input(x), output(y), ReduceOp::Sum);
  else if (is("dtype"))
    comm.bcast(odd ? output(whole) : output(x), 0);
  else if (is("op"))
    comm.allreduce(input(x), output(y), odd ? ReduceOp::Prod : ReduceOp::Sum);
  else if (is("root"))
    comm.bcast(output(x), odd ? 1 : 0);
  else if (is("count"))
    comm.allreduce({x.data(), odd ? 4 : 8, DType::Float64}, {y.data(), odd ? 4 : 8, DType::Float64},
                   ReduceOp::Sum);
  else if (is("leak")) {
    MPI_Comm copy = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
  } else
    return false;
  return true;
}

}  // namespace eh::simulated
