// SPDX-License-Identifier: BSD-3-Clause
// The adjoint of a correlation: two correlations.
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd_ops.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "array/autograd.hpp"
#include "array/convolution.hpp"

namespace eh {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// Zeros around each item, as many as make every overlap with v count.
at::Tensor surrounded(const at::Tensor& x, const at::Tensor& v) {
  const std::int64_t rows = v.size(1) - 1;
  const std::int64_t columns = v.size(2) - 1;
  const std::vector<c10::SymInt> padding = {columns, columns, rows, rows};
  return at::_ops::constant_pad_nd::call(x, padding, 0);
}

struct Correlate : torch::autograd::Function<Correlate> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& v) {
    ctx->save_for_backward({x, v});
    return correlate_blocks(x.detach(), v.detach());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Variable& x = saved[0];
    const Variable& v = saved[1];
    Variable dx;
    Variable dv;
    if (ctx->needs_input_grad(0)) {
      dx = correlate_valid(surrounded(grads[0], v), v.flip({1, 2}).conj().resolve_conj());
    }
    if (ctx->needs_input_grad(1)) {
      dv = correlate_valid(x.conj().resolve_conj(), grads[0]);
      if (v.size(0) == 1) dv = dv.sum(0, true);
    }
    return {dx, dv};
  }
};

}  // namespace

at::Tensor correlate_valid(const at::Tensor& x, const at::Tensor& v) {
  return needs_grad(x) || needs_grad(v) ? Correlate::apply(without_tangent(x), without_tangent(v))
                                        : correlate_blocks(x, v);
}

}  // namespace eh
