// SPDX-License-Identifier: BSD-3-Clause
#include "array/products.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "array/autograd.hpp"
#include "array/parallel.hpp"
#include "kernels/dense_product.hpp"

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

namespace {

/// The native product of float64, where MKL is the slower one; null elsewhere.
kernels::MultiplyDense native_product() {
  static const kernels::MultiplyDense found = has_slow_mkl() ? kernels::dense_product("avx512") : nullptr;
  return found;
}

bool is_dense(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kDouble && x.layout() == at::kStrided && x.dim() == 2 &&
         !x.is_neg() && !needs_grad(x) && (x.stride(0) == 1 || x.stride(1) == 1);
}

bool goes_native(const at::Tensor& a, const at::Tensor& b) {
  constexpr std::int64_t kThin = 16, kLeast = std::int64_t{1} << 18;
  return native_product() != nullptr && is_dense(a) && is_dense(b) && a.size(1) == b.size(0) &&
         std::min({a.size(0), a.size(1), b.size(1)}) >= kThin &&
         a.numel() / kThin * b.size(1) >= kLeast / kThin;
}

kernels::DenseMatrix dense(const at::Tensor& x) {
  return {x.const_data_ptr<double>(), x.size(0), x.size(1), x.stride(0), x.stride(1)};
}

/// c = a b, or += or -=. @pre goes_native(a, b), and rows of c are contiguous
void multiply_native(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, kernels::Into into) {
  auto* const out = c.mutable_data_ptr<double>();
  const auto numbers = static_cast<std::int64_t>(kernels::dense_product_scratch() / sizeof(double)) + 8;
  parallel_rows(c.size(0), a.size(1) * c.size(1), [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = a.new_empty({numbers});  // aligned to 64 by torch
    native_product()(dense(a), dense(b), first, last, out, c.stride(0), into, scratch.mutable_data_ptr());
  });
}

/// The product of two matrices, where it is not left to torch.
std::optional<at::Tensor> fast_product(const at::Tensor& a, const at::Tensor& b) {
  if (!goes_native(a, b)) return onednn_linear(a, b.t(), std::nullopt);
  at::Tensor c = a.new_empty({a.size(0), b.size(1)});
  multiply_native(a, b, c, kernels::Into::Write);
  return c;
}

}  // namespace

at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() < 2 || b.dim() != 2) return a.matmul(b);
  // As torch does: the axes before the last are rows.
  const std::optional<at::Tensor> c = fast_product(a.dim() == 2 ? a : a.flatten(0, -2), b);
  if (!c || a.dim() == 2) return c ? *c : a.matmul(b);
  std::vector<std::int64_t> shape = a.sizes().vec();
  shape.back() = b.size(1);
  return c->view(shape);
}

void update_product(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, bool subtract) {
  if (goes_native(a, b) && is_dense(c) && c.stride(1) == 1)
    return multiply_native(a, b, c, subtract ? kernels::Into::Subtract : kernels::Into::Add);
  const std::optional<at::Tensor> part = needs_grad(c) ? std::nullopt : onednn_linear(a, b.t(), std::nullopt);
  if (part)
    c.add_(*part, subtract ? -1 : 1);
  else
    c.addmm_(a, b, 1, subtract ? -1 : 1);
}

}  // namespace eh
