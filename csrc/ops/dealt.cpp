// SPDX-License-Identifier: BSD-3-Clause
#include "ops/dealt.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <vector>

#include "array/movers.hpp"
#include "array/tensor_comm.hpp"

namespace eh {
namespace {

/// Views of the columns of a rank's blocks, where they lie in the whole.
void in_whole(std::vector<Part>& parts, const at::Tensor& rows, const Cyclic& cyclic, int rank) {
  for (int block = rank; block < cyclic.nblocks(); block += cyclic.nranks())
    parts.push_back({rank, rows.narrow(1, cyclic.begin(block), cyclic.width(block))});
}

/// Of a view that begins with row `first`, the rows from the diagonal of this block on.
at::Tensor below_diagonal(const at::Tensor& view, const Cyclic& cyclic, int block, std::int64_t first) {
  const std::int64_t above = std::clamp<std::int64_t>(cyclic.begin(block) - first, 0, view.size(0));
  return view.narrow(0, above, view.size(0) - above);
}

/// The pieces of this rank's rows, which begin with row `first`, by the owners of their columns.
std::vector<Part> pieces_of_rows(const at::Tensor& rows, const Cyclic& cyclic, std::int64_t first,
                                 Counted counted) {
  std::vector<Part> parts;
  for (int rank = 0; rank < cyclic.nranks(); ++rank) {
    const std::size_t begin = parts.size();
    in_whole(parts, rows, cyclic, rank);
    if (counted == Counted::All) continue;
    for (std::size_t i = begin; i < parts.size(); ++i) {
      const int block = rank + static_cast<int>(i - begin) * cyclic.nranks();
      parts[i].view = below_diagonal(parts[i].view, cyclic, block, first);
    }
  }
  return parts;
}

/// The pieces of this rank's columns, by the owners of their rows.
std::vector<Part> pieces_of_columns(const at::Tensor& columns, const Cyclic& cyclic, const Layout& rows,
                                    int rank, Counted counted) {
  std::vector<Part> parts;
  for (int peer = 0; peer < cyclic.nranks(); ++peer) {
    const at::Tensor theirs = columns.narrow(0, rows.offset(peer), rows.count(peer));
    for (int block = rank; block < cyclic.nblocks(); block += cyclic.nranks()) {
      const at::Tensor view = theirs.narrow(1, cyclic.local_begin(block), cyclic.width(block));
      const bool all = counted == Counted::All;
      parts.push_back({peer, all ? view : below_diagonal(view, cyclic, block, rows.offset(peer))});
    }
  }
  return parts;
}

/// The columns of all ranks, rank after rank, in their natural order.
at::Tensor in_order(const at::Tensor& x, const Cyclic& cyclic) {
  at::Tensor out = movers::empty(shape_of(x), x);
  std::vector<Part> parts;
  for (int rank = 0; rank < cyclic.nranks(); ++rank) in_whole(parts, out, cyclic, rank);
  std::int64_t first = 0;
  for (const Part& part : parts) {
    part.view.copy_(x.narrow(1, first, part.view.size(1)));
    first += part.view.size(1);
  }
  return out;
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
  const bool costly = work == Work::Eigenvalues || (work == Work::SingularValues && !single);
  if (costly) times = ranks < 6 ? 64 : 1;
  return times * linalg_tuning().small;
}

at::Tensor deal_columns(const DNDarray& a, const Cyclic& cyclic, Counted counted) {
  const at::Tensor local = a.local().detach().resolve_conj();
  const Communicator& comm = a.comm();
  if (comm.size() == 1) return local.clone(at::MemoryFormat::Contiguous);
  if (a.split() == 1) {
    return movers::move_rows(local, 1, a.layout().counts(), cyclic.counts(), cyclic.moves(), false, comm);
  }
  at::Tensor own = movers::empty({a.shape()[0], cyclic.count(comm.rank())}, local);
  if (a.layout().is_split()) {
    exchange(pieces_of_rows(local, cyclic, a.layout().offset(comm.rank()), counted),
             pieces_of_columns(own, cyclic, a.layout(), comm.rank(), counted), false, local, comm);
    return own;
  }
  std::vector<Part> mine;
  in_whole(mine, local, cyclic, comm.rank());
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const int block = comm.rank() + static_cast<int>(i) * cyclic.nranks();
    own.narrow(1, cyclic.local_begin(block), cyclic.width(block)).copy_(mine[i].view);
  }
  return own;
}

DNDarray collect_columns(const at::Tensor& local, const Cyclic& cyclic, const LayoutPtr& to,
                         const CommPtr& comm, Counted counted) {
  if (comm->size() == 1) return {local, to, comm};
  if (to->split() == 1) {
    return {movers::move_rows(local, 1, to->counts(), cyclic.counts(), cyclic.moves(), true, *comm), to,
            comm};
  }
  if (!to->is_split()) return {in_order(allgather(local, 1, cyclic.counts(), *comm), cyclic), to, comm};
  at::Tensor rows = movers::empty(to->lshape(comm->rank()), local);
  if (counted == Counted::Lower) rows.zero_();
  exchange(pieces_of_columns(local, cyclic, *to, comm->rank(), counted),
           pieces_of_rows(rows, cyclic, to->offset(comm->rank()), counted), false, local, *comm);
  return {rows, to, comm};
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
