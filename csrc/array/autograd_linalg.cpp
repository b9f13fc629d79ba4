// SPDX-License-Identifier: BSD-3-Clause
// The adjoint of a contraction: two contractions. The movers' adjoints are in autograd.cpp.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <string>
#include <utility>
#include <vector>

#include "array/autograd.hpp"
#include "array/contraction.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// The layouts and the communicator, carried from forward to backward.
struct Saved : torch::CustomClassHolder {
  Saved(Contraction s, CommPtr c) : spec(std::move(s)), comm(std::move(c)) {}
  Contraction spec;
  CommPtr comm;
};

/// The layout of the conjugate transpose of the last two axes.
LayoutPtr swapped(const LayoutPtr& layout) {
  const int ndim = layout->ndim();
  std::vector<int> axes;
  for (int axis = 0; axis < ndim - 2; ++axis) axes.push_back(axis);
  axes.insert(axes.end(), {ndim - 1, ndim - 2});
  return share(layout->permuted(axes));
}

struct ContractFunction : torch::autograd::Function<ContractFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& a, const at::Tensor& b,
                            const Contraction& spec, const CommPtr& comm) {
    ctx->save_for_backward({a, b});
    ctx->saved_data["saved"] = c10::IValue::make_capsule(c10::make_intrusive<Saved>(spec, comm));
    return contract_blocks(a, b, spec, comm);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list operands = ctx->get_saved_variables();
    const auto capsule = ctx->saved_data["saved"].toCapsule();
    const auto& saved = *static_cast<const Saved*>(capsule.get());
    const Contraction& spec = saved.spec;
    Variable da;
    Variable db;
    if (ctx->needs_input_grad(0)) {
      da = contract(grads[0], operands[1].mH(), {spec.c, swapped(spec.b), spec.a}, saved.comm);
    }
    if (ctx->needs_input_grad(1)) {
      db = contract(operands[0].mH(), grads[0], {swapped(spec.a), spec.c, spec.b}, saved.comm);
    }
    return {da, db, Variable(), Variable()};
  }
};

/// The gradient of an expression in which what depends on the inputs was held constant. @param anchor makes the error
/// come whatever the gradient from above depends on
struct FirstOnly : torch::autograd::Function<FirstOnly> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& grad, const at::Tensor& /*anchor*/,
                            const std::string& fn) {
    ctx->saved_data["fn"] = fn;
    return grad.view_as(grad);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& /*grads*/) {
    throw NotSupported(
        ctx->saved_data["fn"].toStringRef() +
        ": no second derivative of a result computed by messages; resplit(None) the matrix first "
        "(lstsq: and use pinv(a) @ b)");
  }
};

/// The gradient of a result passes to an expression with the same derivative.
struct GradientThrough : torch::autograd::Function<GradientThrough> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& /*expression*/, const at::Tensor& value,
                            const at::Tensor& anchor, const std::string& fn) {
    ctx->save_for_backward({anchor});
    ctx->saved_data["fn"] = fn;
    return value.clone();
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const std::string fn = ctx->saved_data["fn"].toStringRef();
    const bool again = at::GradMode::is_enabled() && !fn.empty();
    const Variable anchor = ctx->get_saved_variables()[0];
    return {again ? FirstOnly::apply(grads[0], anchor, fn) : grads[0], Variable(), Variable(), Variable()};
  }
};

}  // namespace

at::Tensor gradient_through(const at::Tensor& value, const at::Tensor& expression, const std::string& fn) {
  const at::Tensor anchor =
      expression.reshape({-1}).slice(0, 0, 0).clone();  // keeps the graph, not the numbers
  return GradientThrough::apply(without_tangent(expression), value, anchor, fn);
}

at::Tensor contract(const at::Tensor& a, const at::Tensor& b, const Contraction& spec, const CommPtr& comm) {
  if (!needs_grad(a) && !needs_grad(b)) return contract_blocks(a, b, spec, comm);
  return ContractFunction::apply(without_tangent(a), without_tangent(b), spec, comm);
}

}  // namespace eh
