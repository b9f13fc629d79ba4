// SPDX-License-Identifier: BSD-3-Clause
#include "ops/samples.hpp"

#include <algorithm>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

at::ScalarType sample_type(at::ScalarType given) {
  return given == at::ScalarType::Double ? at::ScalarType::Double : at::ScalarType::Float;
}

}  // namespace

DNDarray as_samples(const DNDarray& x, const char* fn, const char* argument) {
  EH_CHECK(x.ndim() == 2, ValueError, fn, ": ", argument, " must be 2-D, (samples, features), has ", x.ndim(),
           " dimensions");
  EH_CHECK(!x.local().is_complex(), TypeError, fn, ": ", argument, " must be real, is complex");
  return to_type(x.split() == 1 ? resplit(x, 0) : x, sample_type(x.local().scalar_type()));
}

DNDarray to_type(const DNDarray& x, at::ScalarType type) {
  return x.with_local(x.local().to(type).contiguous());
}

DNDarray along_samples(const DNDarray& v, const DNDarray& x, const char* fn, const char* argument) {
  const std::int64_t n = x.shape()[0];
  const bool column = v.ndim() == 2 && v.shape()[1] == 1;
  EH_CHECK((v.ndim() == 1 || column) && v.shape()[0] == n, ValueError, fn, ": ", argument,
           " must have shape (", n, ",), one entry per sample");
  const LayoutPtr to = share(x.layout().with_shape(v.shape(), x.split()));
  const at::Tensor local = redistribute(v, to).local();
  return {column ? local.squeeze(1) : local, share(x.layout().with_shape({n}, x.split())), x.comm_ptr()};
}

at::Tensor total_of(const at::Tensor& partial, const DNDarray& samples) {
  return samples.is_distributed() ? allreduce(partial, ReduceOp::Sum, samples.comm()) : partial;
}

DNDarray replicated(const at::Tensor& local, const CommPtr& comm) {
  return {local, share(Layout::replicated(shape_of(local), comm->size())), comm};
}

void circulate(const std::vector<at::Tensor>& own, const std::vector<std::int64_t>& counts,
               const Communicator& comm,
               const std::function<void(int owner, const std::vector<at::Tensor>& blocks)>& visit) {
  const int size = comm.size();
  const int rank = comm.rank();
  std::vector<at::Tensor> blocks = own;
  for (int step = 0; step < size; ++step) {
    std::vector<at::Tensor> next;
    std::vector<Request> flying;
    for (std::size_t i = 0; i < blocks.size() && step + 1 < size; ++i) {
      Shape shape = shape_of(blocks[i]);
      shape[0] = counts[static_cast<std::size_t>((rank + step + 1) % size)];
      next.push_back(blocks[i].new_empty(sizes(shape)));
      flying.push_back(comm.irecv(buffer(next[i]), (rank + 1) % size, static_cast<int>(i)));
      flying.push_back(comm.isend(const_buffer(blocks[i]), (rank + size - 1) % size, static_cast<int>(i)));
    }
    visit((rank + step) % size, blocks);
    for (Request& request : flying) request.wait();
    blocks = std::move(next);
  }
}

}  // namespace eh
