// SPDX-License-Identifier: BSD-3-Clause
// The adjoint of a product with a sparse matrix: the product with its conjugate transpose.
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include "array/autograd.hpp"
#include "array/compressed.hpp"

namespace eh {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct TimesDense : torch::autograd::Function<TimesDense> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const Compressed& a, bool transposed) {
    ctx->save_for_backward({a.begin, a.columns, a.values});
    ctx->saved_data["width"] = a.width;
    ctx->saved_data["transposed"] = transposed;
    return times_dense_blocks(a, x.detach(), transposed);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Compressed conjugate = {saved[0], saved[1], saved[2].conj(), ctx->saved_data["width"].toInt()};
    return {times_dense(conjugate, grads[0], !ctx->saved_data["transposed"].toBool()), {}, {}};
  }
};

}  // namespace

at::Tensor times_dense(const Compressed& a, const at::Tensor& x, bool transposed) {
  return needs_grad(x) ? TimesDense::apply(without_tangent(x), a, transposed)
                       : times_dense_blocks(a, x, transposed);
}

}  // namespace eh
