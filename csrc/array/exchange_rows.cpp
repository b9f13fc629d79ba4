// SPDX-License-Identifier: BSD-3-Clause
#include "array/exchange_rows.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <numeric>

#include "array/autograd.hpp"
#include "array/tensor_comm.hpp"

namespace eh {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

Counts scaled(const Counts& counts, std::int64_t factor) {
  Counts out;
  for (std::int64_t n : counts) out.push_back(n * factor);
  return out;
}

at::Tensor run(const at::Tensor& rows, const Counts& send, const Counts& recv, const Communicator& comm) {
  const at::Tensor out = rows.detach().resolve_conj().resolve_neg().contiguous();
  Shape shape = shape_of(out);
  shape[0] = std::accumulate(recv.begin(), recv.end(), std::int64_t{0});
  const std::int64_t width = numel({shape.begin() + 1, shape.end()});
  at::Tensor in = out.new_empty(sizes(shape));
  comm.alltoallv(const_buffer(out), scaled(send, width), buffer(in), scaled(recv, width));
  return in;
}

/// Both sides of an exchange, kept by the graph for the way back.
struct Sides : torch::CustomClassHolder {
  Sides(Counts send_counts, Counts recv_counts, CommPtr ranks)
      : send(std::move(send_counts)), recv(std::move(recv_counts)), comm(std::move(ranks)) {}
  Counts send;
  Counts recv;
  CommPtr comm;
};

struct ExchangeRows : torch::autograd::Function<ExchangeRows> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& rows, const Counts& send,
                            const Counts& recv, const CommPtr& comm) {
    ctx->saved_data["sides"] = c10::IValue::make_capsule(c10::make_intrusive<Sides>(send, recv, comm));
    return run(rows, send, recv, *comm);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    const auto& sides = static_cast<const Sides&>(*ctx->saved_data["sides"].toCapsule());
    return {exchange_rows(grad[0], sides.recv, sides.send, sides.comm), at::Tensor(), at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor exchange_rows(const at::Tensor& rows, const Counts& send_counts, const Counts& recv_counts,
                         const CommPtr& comm) {
  if (needs_grad(rows)) return ExchangeRows::apply(without_tangent(rows), send_counts, recv_counts, comm);
  return run(rows, send_counts, recv_counts, *comm);
}

}  // namespace eh
