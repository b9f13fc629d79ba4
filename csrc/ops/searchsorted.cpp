// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <algorithm>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/search.hpp"
#include "ops/histogram.hpp"
#include "ops/routing.hpp"
#include "ops/selection.hpp"
#include "ops/types.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

at::Tensor places(const at::Tensor& sorted, const at::Tensor& values, bool right) {
  at::Tensor out = values.new_empty(values.sizes(), at::kLong);
  kernels::search_sorted(dtype_of(values.scalar_type()), sorted.const_data_ptr(), sorted.numel(),
                         values.const_data_ptr(), values.numel(), right,
                         out.mutable_data_ptr<std::int64_t>());
  return out;
}

at::Tensor plain(const at::Tensor& t, at::ScalarType type) {
  return t.detach().resolve_conj().resolve_neg().cpu().to(type).contiguous();
}

/// Values put in the order of the ranks that answer for them.
struct Sorting {
  std::vector<std::int64_t> order;
  std::vector<std::int64_t> ends;
};

Sorting by_rank(const at::Tensor& boundary, const std::vector<std::int64_t>& ranks, int nranks) {
  const auto* place = boundary.const_data_ptr<std::int64_t>();
  const auto last = static_cast<std::int64_t>(ranks.size()) - 1;
  const auto rank_of = [&](std::int64_t i) {
    return static_cast<std::size_t>(ranks[static_cast<std::size_t>(std::min(place[i], last))]);
  };
  Sorting out{std::vector<std::int64_t>(static_cast<std::size_t>(boundary.numel())),
              std::vector<std::int64_t>(static_cast<std::size_t>(nranks) + 1, 0)};
  for (std::int64_t i = 0; i < boundary.numel(); ++i) ++out.ends[rank_of(i) + 1];
  for (std::size_t r = 1; r < out.ends.size(); ++r) out.ends[r] += out.ends[r - 1];
  // Entry r is where rank r's run begins; filling moves it to where it ends.
  for (std::int64_t i = 0; i < boundary.numel(); ++i)
    out.order[static_cast<std::size_t>(out.ends[rank_of(i)]++)] = i;
  out.ends.pop_back();
  return out;
}

/// Elements in another order.
at::Tensor in_order(const at::Tensor& flat, const at::Tensor& order) {
  const at::Tensor bytes = as_bytes(flat).view({flat.numel(), flat.element_size()});
  return bytes.index_select(0, order).view({-1}).view(flat.scalar_type());
}

/// Values to the ranks within whose blocks they fall, and their places back. Collective.
at::Tensor ask_owners(const DNDarray& a, const at::Tensor& sorted, const at::Tensor& values, bool right) {
  std::vector<std::int64_t> ranks;
  Counts counts;
  for (std::int64_t n : a.layout().counts()) {
    if (n > 0) ranks.push_back(static_cast<std::int64_t>(counts.size()));
    counts.push_back(std::min<std::int64_t>(n, 1));
  }
  const at::Tensor last = sorted.narrow(0, std::max<std::int64_t>(sorted.numel() - 1, 0),
                                        counts[static_cast<std::size_t>(a.comm().rank())]);
  const at::Tensor boundaries = allgather(last, 0, counts, a.comm());
  const at::Tensor flat = values.view({-1});
  const Sorting sorting = by_rank(places(boundaries, flat, right), ranks, a.comm().size());
  const Traffic traffic = plan_traffic(sorting.ends, a.comm());
  const at::Tensor order = index_tensor(sorting.order, flat);
  const at::Tensor asked = route(in_order(flat, order), traffic.sent, traffic.received, a.comm());
  const at::Tensor found = places(sorted, asked, right).add(a.layout().offset(a.comm().rank()));
  const at::Tensor answers = route(found, traffic.received, traffic.sent, a.comm());
  return answers.new_empty(answers.sizes()).index_copy_(0, order, answers).view(values.sizes());
}

}  // namespace

DNDarray searchsorted(const DNDarray& a, const DNDarray& v, bool right) {
  EH_CHECK(a.ndim() == 1, ValueError, "searchsorted: a must be 1-dimensional, has shape ",
           to_string(a.shape()));
  const at::ScalarType type = promote_types(a.local().scalar_type(), v.local().scalar_type());
  const at::Tensor sorted = plain(a.local(), type);
  const at::Tensor values = plain(v.local(), type);
  at::Tensor found;
  if (!a.is_distributed() || a.layout().size() == 0)
    found = places(sorted, values, right);
  else if (!v.is_distributed())
    found = allreduce(places(sorted, values, right), ReduceOp::Sum, a.comm());
  else
    found = ask_owners(a, sorted, values, right);
  return v.with_local(found.to(v.local().device()));
}

}  // namespace eh
