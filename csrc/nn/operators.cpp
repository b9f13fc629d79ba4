// SPDX-License-Identifier: BSD-3-Clause
// The operators torch knows as torch.ops.equiheat.*: schemas, shapes, gradients, autocast. The only file with
// torch/library.h, which is expensive.
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "kernels/device_memory.hpp"
#include "nn/fused_problem.hpp"

namespace eh::nn {
namespace {

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The public operator decides what needs a gradient and hands over to the inner one, which computes loss and gradients
// at once; it is what graphs record.
#define EH_LOSS_INPUTS                                                                              \
  [[maybe_unused]] const Tensor &query, [[maybe_unused]] const Tensor &key,                         \
      [[maybe_unused]] const Tensor &value, [[maybe_unused]] const Tensor &weight,                  \
      [[maybe_unused]] const OptionalTensor &bias, [[maybe_unused]] const Tensor &target,           \
      [[maybe_unused]] const OptionalTensor &residual, [[maybe_unused]] const OptionalTensor &mask, \
      [[maybe_unused]] int64_t num_heads, [[maybe_unused]] double scale,                            \
      [[maybe_unused]] at::IntArrayRef grid, [[maybe_unused]] at::ArrayRef<double> factor,          \
      [[maybe_unused]] at::ArrayRef<double> offset, [[maybe_unused]] bool normalize_patches,        \
      [[maybe_unused]] bool return_prediction, [[maybe_unused]] c10::string_view arithmetic,        \
      [[maybe_unused]] c10::string_view instructions
#define EH_LOSS_VALUES                                                                             \
  query, key, value, weight, bias, target, residual, mask, num_heads, scale, grid, factor, offset, \
      normalize_patches, return_prediction, arithmetic, instructions

constexpr const char* kLossArguments =
    "(Tensor query, Tensor key, Tensor value, Tensor weight, Tensor? bias, Tensor target, Tensor? residual, "
    "Tensor? mask, int num_heads, float scale, int[] grid, float[] factor, float[] offset, bool "
    "normalize_patches, "
    "bool return_prediction, str arithmetic, str instructions";

using Loss = std::tuple<Tensor, Tensor>;
using LossAndGradients = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;
using LossSignature = Loss(EH_LOSS_INPUTS);
using InnerSignature = LossAndGradients(EH_LOSS_INPUTS, Needs needs);

template <typename Signature>
const auto& operator_named(const char* name) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
  return op;
}
LossAndGradients loss_and_gradients(EH_LOSS_INPUTS, Needs needs) {
  return operator_named<InnerSignature>("equiheat::_cross_attention_reconstruction")
      .call(EH_LOSS_VALUES, needs);
}

// ------------------------------------------------------------------ devices

template <auto kRun>
LossAndGradients inner(EH_LOSS_INPUTS, Needs needs) {
  needs[4] &= bias.has_value();
  needs[5] &= residual.has_value();
  const ReconstructionInputs inputs{query, key, value, weight, bias, target, residual, mask};
  auto out = kRun(inputs,
                  {num_heads, scale, grid, factor, offset, normalize_patches, return_prediction, arithmetic,
                   instructions},
                  needs);
  auto& g = out.gradients;
  return {out.loss, out.prediction, g[0], g[1], g[2], g[3], g[4], g[5]};
}

Loss loss_only(EH_LOSS_INPUTS) {
  auto out = loss_and_gradients(EH_LOSS_VALUES, {});
  return {std::get<0>(out), std::get<1>(out)};
}

// ------------------------------------------------------------------ shapes

LossAndGradients inner_meta(EH_LOSS_INPUTS, Needs needs) {
  const auto like = [&](const Tensor& x, std::size_t i) {
    const auto options = x.options().dtype(dtype_of_gradient(x.scalar_type()));
    return needs[i] ? at::empty_symint(x.sym_sizes(), options) : at::empty({0}, options);
  };
  const auto real = query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor prediction =
      return_prediction
          ? at::empty_symint({query.sym_size(0), query.sym_size(1), weight.sym_size(0)}, query.options())
          : at::empty({0}, query.options());
  const auto optional = [&](const OptionalTensor& x, const Tensor& other, std::size_t i) {
    return x ? like(*x, i) : at::empty({0}, other.options());
  };
  return {at::empty({}, query.options().dtype(real)),
          prediction,
          like(query, 0),
          like(key, 1),
          like(value, 2),
          like(weight, 3),
          optional(bias, weight, 4),
          optional(residual, query, 5)};
}

// ------------------------------------------------------------------ gradients

/// The operands and options that the gradient of a *prediction* needs; that of the loss is computed with it.
struct Options {
  int64_t heads;
  double scale;
  std::string arithmetic, instructions;
};

using AttentionSignature = Tensor(const Tensor&, const Tensor&, const Tensor&, int64_t, double,
                                  c10::string_view, c10::string_view);
using AttentionBackwardSignature = std::tuple<Tensor, Tensor, Tensor>(const Tensor&, const Tensor&,
                                                                      const Tensor&, const Tensor&, int64_t,
                                                                      double, c10::string_view,
                                                                      c10::string_view, std::array<bool, 3>);

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Options& o) {
  return operator_named<AttentionSignature>("equiheat::cross_attention")
      .call(query, key, value, o.heads, o.scale, o.arithmetic, o.instructions);
}
std::tuple<Tensor, Tensor, Tensor> attention_backward(const Tensor& gradient, const Tensor& query,
                                                      const Tensor& key, const Tensor& value,
                                                      const Options& o, std::array<bool, 3> needs) {
  return operator_named<AttentionBackwardSignature>("equiheat::_cross_attention_backward")
      .call(gradient, query, key, value, o.heads, o.scale, o.arithmetic, o.instructions, needs);
}

void once_only(const char* name) {
  TORCH_CHECK_NOT_IMPLEMENTED(!at::GradMode::is_enabled(), name,
                              ": gradients of gradients (create_graph=True) are not implemented");
}

bool needs_gradient(const Tensor& x) { return x.defined() && x.requires_grad(); }

/// Whether saved gradients may be scaled where they lie: nobody else reads them afterwards, and no graph is recorded.
bool may_overwrite(const variable_list& saved) {
  if (torch::autograd::get_current_graph_task_keep_graph() || c10::impl::dispatch_mode_enabled())
    return false;
  const c10::DispatchKeySet watched({c10::DispatchKey::Python, c10::DispatchKey::Functionalize,
                                     c10::DispatchKey::FuncTorchBatched,
                                     c10::DispatchKey::FuncTorchGradWrapper});
  for (const Tensor& x : saved)
    if (x.defined() && x.key_set().has_any(watched)) return false;
  return true;
}

struct LossFunction : torch::autograd::Function<LossFunction> {
  static variable_list forward(AutogradContext* ctx, EH_LOSS_INPUTS, const Needs& needs) {
    ctx->set_materialize_grads(false);
    at::AutoDispatchBelowADInplaceOrView below;
    const auto [loss, prediction, q, k, v, w, b, r] = loss_and_gradients(EH_LOSS_VALUES, needs);
    ctx->saved_data["heads"] = num_heads;
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["arithmetic"] = std::string(arithmetic);
    ctx->saved_data["instructions"] = std::string(instructions);
    ctx->saved_data["needs"] = std::vector<int64_t>(needs.begin(), needs.end());
    variable_list saved{q, k, v, w, b, r};
    if (return_prediction) {
      const variable_list operands{query, key, value, weight, residual.value_or(Tensor())};
      saved.insert(saved.end(), operands.begin(), operands.end());
    } else {
      ctx->mark_non_differentiable({prediction});
    }
    ctx->save_for_backward(saved);
    return {loss, prediction};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    once_only("cross_attention_reconstruction_loss");
    const variable_list saved = ctx->get_saved_variables();
    const auto needs = ctx->saved_data["needs"].toIntVector();
    variable_list gradients(kDifferentiable);
    if (upstream[0].defined())
      for (std::size_t i = 0; i < needs.size(); ++i)
        if (needs[i] != 0) gradients[i] = saved[i];
    scale(gradients, upstream[0]);
    if (upstream.size() > 1 && upstream[1].defined()) of_prediction(ctx, saved, upstream[1], gradients);
    variable_list all(18);  // one per argument of forward
    constexpr std::size_t places[kDifferentiable] = {0, 1, 2, 3, 4, 6};
    for (std::size_t i = 0; i < gradients.size(); ++i) all[places[i]] = gradients[i];
    return all;
  }

 private:
  static void scale(variable_list& gradients, const Tensor& factor) {
    if (!factor.defined()) return;
    const bool overwrite = may_overwrite(gradients);
    if (overwrite && factor.is_cpu() && factor.item<double>() == 1) return;
    for (Tensor& x : gradients)
      if (x.defined()) x = overwrite ? x.mul_(factor) : x * factor;
  }

  /// What a gradient of the returned prediction adds: the chain backwards, from inputs that were saved for it.
  static void of_prediction(AutogradContext* ctx, const variable_list& saved, const Tensor& upstream,
                            variable_list& gradients) {
    const auto needs = ctx->saved_data["needs"].toIntVector();
    const Options options{ctx->saved_data["heads"].toInt(), ctx->saved_data["scale"].toDouble(),
                          ctx->saved_data["arithmetic"].toStringRef(),
                          ctx->saved_data["instructions"].toStringRef()};
    const Tensor &query = saved[6], &key = saved[7], &value = saved[8], &weight = saved[9],
                 &residual = saved[10];
    const auto add = [&](std::size_t i, const Tensor& x, const Tensor& like) {
      if (needs[i] == 0) return;
      const Tensor part = x.to(like.scalar_type());
      gradients[i] = gradients[i].defined() ? gradients[i] + part : part;
    };
    const Tensor rows = upstream.flatten(0, 1);
    const Tensor mixed_gradient = upstream.matmul(weight.to(upstream.scalar_type()));
    if (needs[3] != 0) {
      Tensor mixed = attention(query, key, value, options);
      if (residual.defined()) mixed = mixed + residual;
      add(3, rows.t().matmul(mixed.flatten(0, 1).to(rows.scalar_type())), weight);
    }
    if (needs[4] != 0) add(4, rows.sum(0), saved[4]);
    add(5, mixed_gradient, residual.defined() ? residual : query);
    const std::array<bool, 3> wanted{needs[0] != 0, needs[1] != 0, needs[2] != 0};
    if (!wanted[0] && !wanted[1] && !wanted[2]) return;
    const auto [q, k, v] = attention_backward(mixed_gradient, query, key, value, options, wanted);
    add(0, q, query), add(1, k, key), add(2, v, value);
  }
};

Loss loss_autograd(EH_LOSS_INPUTS) {
  TORCH_CHECK_NOT_IMPLEMENTED(
      !at::GradMode::is_enabled() || !needs_gradient(target),
      "cross_attention_reconstruction_loss: target requires a gradient; expected a constant");
  const auto optional = [](const OptionalTensor& x) { return x && needs_gradient(*x); };
  const Needs needs{needs_gradient(query),  needs_gradient(key), needs_gradient(value),
                    needs_gradient(weight), optional(bias),      optional(residual)};
  bool any = false;
  for (const bool need : needs) any |= need;
  if (!any || !at::GradMode::is_enabled()) {
    at::AutoDispatchBelowADInplaceOrView below;
    return loss_only(EH_LOSS_VALUES);
  }
  const auto out = LossFunction::apply(EH_LOSS_VALUES, needs);
  return {out[0], out[1]};
}

struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& query, const Tensor& key, const Tensor& value,
                        const Options& options, const std::array<bool, 3>& needs) {
    at::AutoDispatchBelowADInplaceOrView below;
    ctx->save_for_backward({query, key, value});
    ctx->saved_data["heads"] = options.heads;
    ctx->saved_data["scale"] = options.scale;
    ctx->saved_data["arithmetic"] = options.arithmetic;
    ctx->saved_data["instructions"] = options.instructions;
    ctx->saved_data["needs"] = std::vector<int64_t>(needs.begin(), needs.end());
    return attention(query, key, value, options);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    once_only("cross_attention");
    const variable_list saved = ctx->get_saved_variables();
    const auto needs = ctx->saved_data["needs"].toIntVector();
    const std::array<bool, 3> wanted{needs[0] != 0, needs[1] != 0, needs[2] != 0};
    const Options options{ctx->saved_data["heads"].toInt(), ctx->saved_data["scale"].toDouble(),
                          ctx->saved_data["arithmetic"].toStringRef(),
                          ctx->saved_data["instructions"].toStringRef()};
    const auto [q, k, v] = attention_backward(upstream[0], saved[0], saved[1], saved[2], options, wanted);
    const auto only = [](const Tensor& x, bool wanted_too) { return wanted_too ? x : Tensor(); };
    return {only(q, wanted[0]), only(k, wanted[1]), only(v, wanted[2]), Tensor(), Tensor()};
  }
};

// ------------------------------------------------------------------ attention alone

#define EH_ATTENTION_INPUTS                                                        \
  [[maybe_unused]] const Tensor &query, [[maybe_unused]] const Tensor &key,        \
      [[maybe_unused]] const Tensor &value, [[maybe_unused]] int64_t num_heads,    \
      [[maybe_unused]] double scale, [[maybe_unused]] c10::string_view arithmetic, \
      [[maybe_unused]] c10::string_view instructions

Tensor attention_autograd(EH_ATTENTION_INPUTS) {
  const Options options{num_heads, scale, std::string(arithmetic), std::string(instructions)};
  const std::array<bool, 3> needs{needs_gradient(query), needs_gradient(key), needs_gradient(value)};
  if (at::GradMode::is_enabled() && (needs[0] || needs[1] || needs[2]))
    return AttentionFunction::apply(query, key, value, options, needs);
  at::AutoDispatchBelowADInplaceOrView below;
  return attention(query, key, value, options);
}
template <auto kRun>
Tensor attention_on(EH_ATTENTION_INPUTS) {
  return kRun(query, key, value, {num_heads, scale, arithmetic, instructions});
}
Tensor attention_meta(EH_ATTENTION_INPUTS) { return at::empty_symint(query.sym_sizes(), query.options()); }
template <auto kRun>
std::tuple<Tensor, Tensor, Tensor> attention_backward_on(const Tensor& gradient, EH_ATTENTION_INPUTS,
                                                         std::array<bool, 3> needs) {
  auto [q, k, v] = kRun(gradient, query, key, value, {num_heads, scale, arithmetic, instructions}, needs);
  return {q, k, v};
}
std::tuple<Tensor, Tensor, Tensor> attention_backward_meta(const Tensor&, EH_ATTENTION_INPUTS,
                                                           std::array<bool, 3> needs) {
  const auto like = [](const Tensor& x, bool wanted) {
    return wanted ? at::empty_symint(x.sym_sizes(), x.options()) : at::empty({0}, x.options());
  };
  return {like(query, needs[0]), like(key, needs[1]), like(value, needs[2])};
}

// ------------------------------------------------------------------ autocast

/// The kernels read float32 and bfloat16 side by side, so nothing is cast: only the arithmetic changes.
c10::string_view autocast_arithmetic(const Tensor& query, c10::string_view arithmetic) {
  const auto device = query.device().type();
  const auto dtype = at::autocast::get_autocast_dtype(device);
  if (!arithmetic.empty()) return arithmetic;
  if (dtype == at::kBFloat16) return "bfloat16";
  return dtype == at::kHalf && query.is_cuda() ? "float16" : "";
}
template <c10::DispatchKey Key>
Loss loss_autocast(EH_LOSS_INPUTS) {
  const c10::impl::ExcludeDispatchKeyGuard done(Key);
  const auto with_autocast = autocast_arithmetic(query, arithmetic);
  return operator_named<LossSignature>("equiheat::cross_attention_reconstruction_loss")
      .call(query, key, value, weight, bias, target, residual, mask, num_heads, scale, grid, factor, offset,
            normalize_patches, return_prediction, with_autocast, instructions);
}
template <c10::DispatchKey Key>
Tensor attention_autocast(EH_ATTENTION_INPUTS) {
  const c10::impl::ExcludeDispatchKeyGuard done(Key);
  return operator_named<AttentionSignature>("equiheat::cross_attention")
      .call(query, key, value, num_heads, scale, autocast_arithmetic(query, arithmetic), instructions);
}

TORCH_LIBRARY(equiheat, m) {
  const std::string loss(kLossArguments);
  const std::string attention_arguments =
      "Tensor query, Tensor key, Tensor value, int num_heads, float scale, str arithmetic, str instructions";
  m.def(("cross_attention_reconstruction_loss" + loss + ") -> (Tensor loss, Tensor prediction)").c_str());
  m.def(("_cross_attention_reconstruction" + loss +
         ", bool[6] needs) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)")
            .c_str());
  m.def(("cross_attention(" + attention_arguments + ") -> Tensor").c_str());
  m.def(("_cross_attention_backward(Tensor gradient, " + attention_arguments +
         ", bool[3] needs) -> (Tensor, Tensor, Tensor)")
            .c_str());
}
TORCH_LIBRARY_IMPL(equiheat, CPU, m) {
  m.impl("cross_attention_reconstruction_loss", loss_only);
  m.impl("_cross_attention_reconstruction", inner<reconstruction_loss_cpu>);
  m.impl("cross_attention", attention_on<cross_attention_cpu>);
  m.impl("_cross_attention_backward", attention_backward_on<cross_attention_backward_cpu>);
}
TORCH_LIBRARY_IMPL(equiheat, CUDA, m) {
  if (!built_with_cuda()) return;  // Python asks whether there are kernels before it calls them
  m.impl("cross_attention_reconstruction_loss", loss_only);
  m.impl("_cross_attention_reconstruction", inner<reconstruction_loss_gpu>);
  m.impl("cross_attention", attention_on<cross_attention_gpu>);
  m.impl("_cross_attention_backward", attention_backward_on<cross_attention_backward_gpu>);
}
TORCH_LIBRARY_IMPL(equiheat, Meta, m) {
  m.impl("cross_attention_reconstruction_loss", loss_only);
  m.impl("_cross_attention_reconstruction", inner_meta);
  m.impl("cross_attention", attention_meta);
  m.impl("_cross_attention_backward", attention_backward_meta);
}
TORCH_LIBRARY_IMPL(equiheat, Autograd, m) {
  m.impl("cross_attention_reconstruction_loss", loss_autograd);
  m.impl("cross_attention", attention_autograd);
}
TORCH_LIBRARY_IMPL(equiheat, AutocastCPU, m) {
  m.impl("cross_attention_reconstruction_loss", loss_autocast<c10::DispatchKey::AutocastCPU>);
  m.impl("cross_attention", attention_autocast<c10::DispatchKey::AutocastCPU>);
}
TORCH_LIBRARY_IMPL(equiheat, AutocastCUDA, m) {
  m.impl("cross_attention_reconstruction_loss", loss_autocast<c10::DispatchKey::AutocastCUDA>);
  m.impl("cross_attention", attention_autocast<c10::DispatchKey::AutocastCUDA>);
}

}  // namespace
}  // namespace eh::nn
