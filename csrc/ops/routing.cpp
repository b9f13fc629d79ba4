// SPDX-License-Identifier: BSD-3-Clause
#include "ops/routing.hpp"

#include <ATen/core/Tensor.h>

#include <numeric>

#include "array/dndarray.hpp"

namespace eh {
namespace {

std::vector<Part> parts_of(const at::Tensor& t, const std::vector<std::int64_t>& ends) {
  std::vector<Part> parts;
  std::int64_t begin = 0;
  for (std::size_t r = 0; r < ends.size(); ++r) {
    parts.push_back({static_cast<int>(r), t.narrow(0, begin, ends[r] - begin)});
    begin = ends[r];
  }
  return parts;
}

}  // namespace

Traffic plan_traffic(std::vector<std::int64_t> sent, const Communicator& comm) {
  Counts send(sent.size());
  std::adjacent_difference(sent.begin(), sent.end(), send.begin());
  Counts recv(send.size());
  const auto n = static_cast<std::int64_t>(send.size());
  comm.alltoall({send.data(), n, DType::Int64}, {recv.data(), n, DType::Int64});
  std::partial_sum(recv.begin(), recv.end(), recv.begin());
  return {std::move(sent), std::move(recv)};
}

at::Tensor route(const at::Tensor& t, const std::vector<std::int64_t>& from,
                 const std::vector<std::int64_t>& to, const Communicator& comm) {
  Shape shape = shape_of(t);
  shape[0] = to.back();
  at::Tensor out = t.new_empty(sizes(shape));
  exchange(parts_of(t, from), parts_of(out, to), false, t, comm);
  return out;
}

}  // namespace eh
