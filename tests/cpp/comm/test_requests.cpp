// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "base/error.hpp"
#include "comm/staging.hpp"
#include "support.hpp"

using namespace eh;
using namespace eh::test;

TEST_CASE("a request keeps what it is given until the operation is complete") {
  const auto& comm = world();
  auto send = std::make_shared<Array<int>>(Array<int>::of_rank(comm.rank(), 5000));
  const std::weak_ptr<Array<int>> watch = send;
  Array<int> recv(5000);
  auto request = comm.iallreduce(send->buffer(), recv.buffer(), ReduceOp::Sum);
  request.keep_alive(std::move(send));
  CHECK(!watch.expired());
  request.wait();
  CHECK(watch.expired());
  CHECK(mismatches(recv, [&](std::int64_t i) { return reduced<int>(ReduceOp::Sum, 0, comm.size(), i); }) ==
        0);
  request.wait();  // again: nothing happens
  CHECK(request.test());
}

TEST_CASE("a dropped request waits; its buffers outlive it") {
  const auto& comm = world();
  const int next = (comm.rank() + 1) % comm.size();
  const int previous = (comm.rank() + comm.size() - 1) % comm.size();
  auto buffers = std::make_shared<Array<double>>(Array<double>::of_rank(comm.rank(), 100000));
  Array<double> recv(100000);
  {
    auto incoming = comm.irecv(recv.buffer(), previous);
    auto outgoing = comm.isend(buffers->buffer(), next);
    outgoing.keep_alive(std::move(buffers));
  }
  CHECK(mismatches(recv, [&](std::int64_t i) { return element<double>(previous, i); }) == 0);
}

TEST_CASE("a request that is assigned over waits first") {
  const auto& comm = world();
  Array<int> send(1, 1), recv(1), recv_again(1);
  auto request = comm.iallreduce(send.buffer(), recv.buffer(), ReduceOp::Sum);
  request = comm.iallreduce(send.buffer(), recv_again.buffer(), ReduceOp::Sum);
  CHECK(recv[0] == comm.size());
  request = Request();
  CHECK(recv_again[0] == comm.size());
}

TEST_CASE("test() does not block and becomes true") {
  const auto& comm = world();
  auto request = comm.ibarrier();
  while (!request.test()) {
  }
  Request empty;
  CHECK(empty.test());
  empty.wait();
}

TEST_CASE("counts of a non-blocking call may be dropped at once") {
  const auto& comm = world();
  const auto send =
      Array<int>::of_rank(comm.rank(), uneven_counts(comm.size(), 7)[static_cast<std::size_t>(comm.rank())]);
  Array<int> recv(total(uneven_counts(comm.size(), 7)));
  auto counts = std::make_unique<Counts>(uneven_counts(comm.size(), 7));
  auto request = comm.iallgatherv(send.buffer(), recv.buffer(), *counts);
  std::fill(counts->begin(), counts->end(), -1);
  counts.reset();
  request.wait();
  if (comm.size() > 1) CHECK(recv[7] == element<int>(1, 0));
}

namespace {

// "Device" memory whose addresses must not be touched by anything but the hooks: host memory, bits inverted.
int copies = 0;
void invert(void* to, const void* from, std::size_t bytes) {
  ++copies;
  for (std::size_t i = 0; i < bytes; ++i) {
    static_cast<unsigned char*>(to)[i] =
        static_cast<unsigned char>(~static_cast<const unsigned char*>(from)[i]);
  }
}

Array<int> inverted(const Array<int>& array) {
  Array<int> device(array.count);
  for (std::int64_t i = 0; i < array.count; ++i) device[i] = ~array[i];
  return device;
}

Buffer on_device(Array<int>& array) { return {array.memory.get(), array.count, DType::Int32, Device::Cuda}; }

}  // namespace

TEST_CASE("CUDA memory without staging is a clear error on every rank") {
  Array<int> device(4);
  const auto text = error_of<NotSupported>([&] { world().bcast(on_device(device), 0); });
  CHECK(contains(text, "CUDA"));
  CHECK_THROWS_AS(set_staging_hooks({invert, nullptr}), ValueError);
}

TEST_CASE("CUDA memory travels through the staging hooks") {
  const auto& comm = world();
  set_staging_hooks({invert, invert});
  const int next = (comm.rank() + 1) % comm.size();
  const int previous = (comm.rank() + comm.size() - 1) % comm.size();
  const auto sum = [&](std::int64_t i) { return ~reduced<int>(ReduceOp::Sum, 0, comm.size(), i); };
  const auto mine = Array<int>::of_rank(comm.rank(), 9);
  auto send = inverted(mine);
  Array<int> recv(9), later(9), ring(12, ~77);
  comm.allreduce(on_device(send), on_device(recv), ReduceOp::Sum);
  CHECK(mismatches(recv, sum) == 0);
  comm.iallreduce(on_device(send), on_device(later), ReduceOp::Sum).wait();
  CHECK(mismatches(later, sum) == 0);
  comm.sendrecv(on_device(send), next, on_device(ring), previous);
  CHECK(ring[8] == ~element<int>(previous, 8));
  CHECK(ring[9] == ~77);
  auto in_place = inverted(mine);
  comm.exscan(on_device(in_place), on_device(in_place), ReduceOp::Max);
  if (comm.rank() == 0)
    CHECK(in_place[3] == ~std::numeric_limits<int>::lowest());
  else
    CHECK(in_place[3] == ~reduced<int>(ReduceOp::Max, 0, comm.rank(), 3));
  auto broadcast = inverted(mine);
  comm.bcast(on_device(broadcast), comm.size() - 1);
  CHECK(broadcast[4] == ~element<int>(comm.size() - 1, 4));
  Array<int> empty(0);
  comm.allreduce(on_device(empty), on_device(empty), ReduceOp::Sum);
  CHECK(copies > 0);
  set_staging_hooks({});
}
