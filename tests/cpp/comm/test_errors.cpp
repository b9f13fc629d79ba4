// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"
#include "support.hpp"

using namespace eh;
using namespace eh::test;

// Each case throws on every rank before any message; a hang or a later failure would show otherwise.

namespace {

/// The error names all of `parts`.
template <typename Kind, typename Action>
void check_error(Action action, std::initializer_list<std::string> parts) {
  const auto text = error_of<Kind>(action);
  for (const auto& part : parts) {
    CAPTURE(text);
    CAPTURE(part);
    CHECK(contains(text, part));
  }
}

}  // namespace

TEST_CASE("operations a type does not have") {
  const auto& comm = world();
  Array<std::complex<float>> z(4), z_out(4);
  Array<double> x(4), x_out(4);
  check_error<TypeError>([&] { comm.allreduce(z.buffer(), z_out.buffer(), ReduceOp::Min); },
                         {"allreduce", "Min", "complex64", "no order"});
  check_error<TypeError>([&] { (void)comm.iscan(z.buffer(), z_out.buffer(), ReduceOp::Max); },
                         {"scan", "Max"});
  check_error<TypeError>([&] { comm.exscan(x.buffer(), x_out.buffer(), ReduceOp::BitXor); },
                         {"exscan", "BitXor", "float64"});
  check_error<TypeError>([&] { comm.reduce(x.buffer(), x_out.buffer(), ReduceOp::LogicalAnd, 0); },
                         {"reduce", "LogicalAnd", "float64"});
  const Counts counts(static_cast<std::size_t>(comm.size()), 1);
  Array<std::complex<float>> all(comm.size()), one(1);
  check_error<TypeError>([&] { comm.reduce_scatter(all.buffer(), one.buffer(), counts, ReduceOp::Max); },
                         {"reduce_scatter", "Max"});
}

TEST_CASE("buffers that cannot be") {
  const auto& comm = world();
  Array<float> x(4), y(4), longer(5);
  Array<double> other(4);
  check_error<TypeError>([&] { comm.allreduce(x.buffer(), other.buffer(), ReduceOp::Sum); },
                         {"allreduce", "float32", "float64"});
  check_error<ValueError>([&] { comm.allreduce(x.buffer(), longer.buffer(), ReduceOp::Sum); },
                          {"allreduce", "recv", "5", "4"});
  check_error<ValueError>([&] { comm.bcast({x.memory.get(), -1, DType::Float32}, 0); },
                          {"bcast", "buffer", "-1"});
  check_error<ValueError>([&] { comm.bcast({nullptr, 3, DType::Float32}, 0); }, {"bcast", "3", "null"});
  check_error<ValueError>([&] { comm.allreduce(x.slice(0, 3), x.slice(1, 3), ReduceOp::Sum); },
                          {"allreduce", "overlap"});
  check_error<ValueError>([&] { comm.allgather(x.buffer(), longer.buffer()); }, {"allgather", "recv", "5"});
  if (comm.size() > 1) {
    Array<float> odd(comm.size() + 1), odd_out(comm.size() + 1);
    check_error<ValueError>([&] { comm.alltoall(odd.buffer(), odd_out.buffer()); }, {"alltoall", "multiple"});
  }
  check_error<ValueError>([&] { comm.sendrecv(x.buffer(), -1, x.buffer(), -1); }, {"sendrecv", "overlap"});
}

TEST_CASE("roots, peers and tags out of range") {
  const auto& comm = world();
  Array<int> x(1), y(1);
  const std::string size = std::to_string(comm.size());
  check_error<ValueError>([&] { comm.bcast(x.buffer(), comm.size()); }, {"bcast", "root " + size});
  check_error<ValueError>([&] { comm.reduce(x.buffer(), y.buffer(), ReduceOp::Sum, -1); },
                          {"reduce", "root -1"});
  check_error<ValueError>([&] { comm.gather(x.buffer(), y.buffer(), 99); }, {"gather", "root 99"});
  check_error<ValueError>([&] { comm.scatter(x.buffer(), y.buffer(), 99); }, {"scatter", "root 99"});
  check_error<ValueError>([&] { comm.send(x.buffer(), comm.size()); },
                          {"send", "dest " + size, "-1 for nobody"});
  check_error<ValueError>([&] { (void)comm.irecv(x.buffer(), -2); }, {"irecv", "source -2"});
  check_error<ValueError>([&] { comm.send(x.buffer(), 0, -3); }, {"send", "tag -3"});
}

TEST_CASE("counts that do not fit") {
  const auto& comm = world();
  const auto size = static_cast<std::size_t>(comm.size());
  Array<int> part(2), whole(2 * comm.size());
  const Counts right(size, 2);
  check_error<ValueError>([&] { comm.allgatherv(part.buffer(), whole.buffer(), Counts(size + 1, 2)); },
                          {"allgatherv", "counts", std::to_string(size + 1)});
  check_error<ValueError>([&] { comm.gatherv(part.buffer(), whole.buffer(), Counts(size, -2), 0); },
                          {"gatherv", "counts[0]", "-2"});
  check_error<ValueError>([&] { comm.allgatherv(part.slice(0, 1), whole.buffer(), right); },
                          {"allgatherv", "send has 1", "must have 2"});
  check_error<ValueError>([&] { comm.alltoallv(whole.buffer(), right, part.slice(0, 1), right); },
                          {"alltoallv", "recv has 1", "sum of recv_counts"});
  check_error<ValueError>([&] { comm.alltoallv(whole.buffer(), {}, part.buffer(), right); },
                          {"alltoallv", "send_counts", "0 entries"});
  check_error<ValueError>(
      [&] { comm.reduce_scatter(part.slice(0, 1), part.slice(1, 1), right, ReduceOp::Sum); },
      {"reduce_scatter", "send has 1"});
  check_error<ValueError>([&] { comm.scatterv(whole.buffer(), part.slice(0, 1), right, 0); },
                          {"scatterv", "recv has 1"});
}

TEST_CASE("the communicator works after all these errors") {
  const auto& comm = world();
  Array<int> one(1, 1), sum(1);
  comm.allreduce(one.buffer(), sum.buffer(), ReduceOp::Sum);
  CHECK(sum[0] == comm.size());
}
