// SPDX-License-Identifier: BSD-3-Clause
// Simulated times of the collectives of comm/ on as many ranks as smpirun makes; benchmarks/scaling starts it.
// Arguments are KIND:BYTES. Bytes are those of a rank's longer buffer; of one face for halo and message.
#include <mpi.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/lifetime.hpp"
#include "comm/view_exchange.hpp"

namespace {

using namespace eh;
using Floats = std::vector<float>;
using Streams = std::vector<std::vector<StridedView>>;

ConstBuffer input(const Floats& x) { return {x.data(), static_cast<std::int64_t>(x.size()), DType::Float32}; }
Buffer output(Floats& x) { return {x.data(), static_cast<std::int64_t>(x.size()), DType::Float32}; }

StridedView view(float* data, std::size_t count) {
  return {reinterpret_cast<std::byte*>(data), static_cast<std::int64_t>(count * sizeof(float))};
}

/// One collective on buffers of its own.
class Trial {
 public:
  Trial(std::shared_ptr<const Communicator> comm, std::size_t bytes)
      : comm_(std::move(comm)), whole_(bytes / 4), back_(whole_.size()), part_(whole_.size() / ranks()) {}

  void run(const std::string& kind) {
    const std::map<std::string, std::function<void()>> kinds = {
        {"allreduce", [this] { comm_->allreduce(input(whole_), output(back_), ReduceOp::Sum); }},
        {"bcast", [this] { comm_->bcast(output(whole_), 0); }},
        {"allgather", [this] { comm_->allgather(input(part_), output(whole_)); }},
        {"alltoall", [this] { comm_->alltoall(input(whole_), output(back_)); }},
        {"reduce_scatter", [this] { reduce_scatter(); }},
        {"message", [this] { message(); }},
        {"halo", [this] { halo(); }},
        {"resplit", [this] { comm_->alltoallv_views(parts_of(whole_), parts_of(back_), DType::Float32); }},
    };
    kinds.at(kind)();
  }

 private:
  std::size_t ranks() const { return static_cast<std::size_t>(comm_->size()); }

  void reduce_scatter() {
    const Counts counts(ranks(), static_cast<std::int64_t>(part_.size()));
    comm_->reduce_scatter(input(whole_), output(part_), counts, ReduceOp::Sum);
  }
  /// From the first rank to the last.
  void message() {
    if (comm_->rank() == 0) comm_->send(input(whole_), comm_->size() - 1);
    if (comm_->rank() == comm_->size() - 1) comm_->recv(output(back_), 0);
  }
  /// A face each way with the neighbours before and behind, as the halos of arrays are exchanged.
  void halo() {
    Streams sends(ranks()), recvs(ranks());
    Counts bytes(ranks(), 0);
    for (const int peer : {comm_->rank() - 1, comm_->rank() + 1}) {
      if (peer < 0 || peer >= comm_->size()) continue;
      const auto at = static_cast<std::size_t>(peer);
      bytes[at] = static_cast<std::int64_t>(whole_.size() * sizeof(float));
      sends[at] = {view(whole_.data(), whole_.size())};
      recvs[at] = {view(back_.data(), back_.size())};
    }
    ViewExchange exchange(comm_, bytes, bytes, DType::Float32);
    exchange.start(sends, recvs);
    exchange.finish();
  }
  /// One piece for each rank, as a change of split cuts a block.
  Streams parts_of(Floats& buffer) const {
    Streams parts(ranks());
    for (std::size_t rank = 0; rank < ranks(); ++rank)
      parts[rank] = {view(buffer.data() + rank * part_.size(), part_.size())};
    return parts;
  }

  std::shared_ptr<const Communicator> comm_;
  Floats whole_, back_, part_;
};

/// All ranks at one simulated instant: the clock is the same for all.
void meet(const Communicator& comm) {
  constexpr double kGrid = 0.01;
  comm.barrier();
  const double now = MPI_Wtime();
  usleep(static_cast<useconds_t>((std::ceil(now / kGrid + 1) * kGrid - now) * 1e6));
}

void time_one(const std::shared_ptr<const Communicator>& comm, const std::string& kind, std::size_t bytes) {
  Trial trial(comm, bytes);
  meet(*comm);
  std::vector<double> times = {-MPI_Wtime()}, ends(2);
  trial.run(kind);
  times.push_back(MPI_Wtime());
  comm->allreduce({times.data(), 2, DType::Float64}, {ends.data(), 2, DType::Float64}, ReduceOp::Max);
  if (comm->rank() == 0)
    std::printf("simulated %s %zu %d %.9f\n", kind.c_str(), bytes, comm->size(), ends[0] + ends[1]);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  {
    const auto comm = Communicator::world();
    for (int i = 1; i < argc; ++i) {
      const std::string what = argv[i];
      const auto colon = what.find(':');
      time_one(comm, what.substr(0, colon), static_cast<std::size_t>(std::atoll(what.c_str() + colon + 1)));
    }
  }
  run_finalize_hooks();
  MPI_Finalize();
  return 0;
}
