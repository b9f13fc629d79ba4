// SPDX-License-Identifier: BSD-3-Clause
#include "ops/dealt.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "array/movers.hpp"
#include "array/tensor_comm.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> position(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    position[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  return position;
}

at::Tensor pick(const at::Tensor& x, const std::vector<std::int64_t>& columns) {
  return x.index_select(1, index_tensor(columns, x));
}

}  // namespace

LinalgTuning& linalg_tuning() {
  static LinalgTuning tuning;
  return tuning;
}

std::int64_t whole_up_to(Work work, const DNDarray& a) {
  const int ranks = a.comm().size();
  const bool single = a.local().scalar_type() == at::kFloat || a.local().scalar_type() == at::kComplexFloat;
  std::int64_t times = single ? 4 : 2;
  if (work == Work::Factors) times = ranks < 4 ? 4 : 1;
  if (work == Work::SingularValues && !single) times = ranks < 6 ? 64 : 1;
  return times * linalg_tuning().small;
}

at::Tensor deal_columns(const DNDarray& a, const Cyclic& cyclic) {
  const at::Tensor local = a.local().detach().resolve_conj();
  const Communicator& comm = a.comm();
  if (comm.size() == 1) return local.clone(at::MemoryFormat::Contiguous);
  if (a.split() == 1) {
    return movers::move_rows(local, 1, a.layout().counts(), cyclic.counts(), cyclic.moves(), false, comm);
  }
  const at::Tensor dealt = pick(local, cyclic.order());
  const Layout to = Layout::with_counts(a.shape(), 1, cyclic.counts());
  const at::Tensor own = movers::redistribute(dealt, a.layout(), to, comm);
  return a.layout().is_split() ? own : own.clone(at::MemoryFormat::Contiguous);
}

DNDarray collect_columns(const at::Tensor& local, const Cyclic& cyclic, const LayoutPtr& to,
                         const CommPtr& comm) {
  if (comm->size() == 1) return {local, to, comm};
  if (to->split() == 1) {
    return {movers::move_rows(local, 1, to->counts(), cyclic.counts(), cyclic.moves(), true, *comm), to,
            comm};
  }
  const Layout from = Layout::with_counts(to->gshape(), 1, cyclic.counts());
  return {pick(movers::redistribute(local, from, *to, *comm), inverse(cyclic.order())), to, comm};
}

std::int64_t agreed(const at::Tensor& info, const Communicator& comm) {
  at::Tensor worst = info.numel() > 0 ? info.ne(0).any().to(at::kLong) : info.new_zeros({}, at::kLong);
  if (comm.size() > 1) worst = allreduce(worst, ReduceOp::Max, comm);
  return worst.item<std::int64_t>();
}

void check_square(const DNDarray& x, const char* fn) {
  EH_CHECK(x.ndim() >= 2, LinAlgError, fn, ": needs at least 2 dimensions, the array has ", x.ndim());
  const std::size_t n = x.shape().size();
  EH_CHECK(x.shape()[n - 1] == x.shape()[n - 2], LinAlgError, fn,
           ": the matrices must be square, the shape is ", to_string(x.shape()));
}

}  // namespace eh
