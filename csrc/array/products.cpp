// SPDX-License-Identifier: BSD-3-Clause
#include "array/products.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "array/autograd.hpp"

namespace eh {
namespace {

/// oneDNN's product as torch offers it, for tensors of any strides; absent from a torch without oneDNN.
const std::optional<c10::OperatorHandle>& onednn_operator() {
  static const auto op = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  return op;
}

bool has_slow_mkl() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_is("amd") != 0 && __builtin_cpu_supports("avx512f") != 0;
#else
  return false;
#endif
}

/// EQUIHEAT_ONEDNN: 0 and 1 decide, else the processor does.
bool is_wanted() {
  const char* value = std::getenv("EQUIHEAT_ONEDNN");
  const std::string_view word = value == nullptr ? "" : value;
  return word == "1" || (word != "0" && has_slow_mkl());
}

bool is_plain(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.layout() == at::kStrided && x.dim() == 2 &&
         !x.is_neg() && !needs_grad(x);
}

/// A call takes ten microseconds more than MKL's, and thin products are bound by memory.
bool pays(std::int64_t m, std::int64_t k, std::int64_t n) {
  constexpr double kLeastOperations = 1 << 21;
  constexpr std::int64_t kThin = 16;
  const double operations = static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n);
  return std::min({m, k, n}) >= kThin && operations >= kLeastOperations;
}

at::Tensor call_onednn(const at::Tensor& x, const at::Tensor& w, const std::optional<at::Tensor>& bias) {
  torch::jit::Stack stack;
  torch::jit::push(stack, x, w, bias, "none", c10::List<std::optional<at::Scalar>>(),
                   std::optional<std::string>());
  onednn_operator()->callBoxed(stack);
  return stack.back().toTensor();
}

}  // namespace

bool uses_onednn() {
  static const bool value = is_wanted() && onednn_operator().has_value();
  return value;
}

std::optional<at::Tensor> onednn_linear(const at::Tensor& x, const at::Tensor& w,
                                        const std::optional<at::Tensor>& bias) {
  const bool fits = uses_onednn() && is_plain(x) && is_plain(w) && x.size(1) == w.size(1) &&
                    pays(x.size(0), x.size(1), w.size(0));
  if (!fits || (bias && (needs_grad(*bias) || bias->scalar_type() != at::kFloat))) return std::nullopt;
  return call_onednn(x, w, bias);
}

at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b) {
  if (!uses_onednn() || b.dim() != 2 || a.dim() < 2) return a.matmul(b);
  // As torch does: the axes before the last are rows.
  const at::Tensor rows = a.dim() == 2 ? a : a.flatten(0, -2);
  const std::optional<at::Tensor> c = onednn_linear(rows, b.t(), std::nullopt);
  if (!c) return a.matmul(b);
  std::vector<std::int64_t> shape = a.sizes().vec();
  shape.back() = b.size(1);
  return a.dim() == 2 ? *c : c->view(shape);
}

void add_matrix_product(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  if (const auto part = onednn_linear(a, b.t(), std::nullopt); part && !needs_grad(c))
    c.add_(*part);
  else
    c.addmm_(a, b);
}

}  // namespace eh
