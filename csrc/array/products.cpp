// SPDX-License-Identifier: BSD-3-Clause
#include "array/products.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "array/autograd.hpp"
#include "array/parallel.hpp"
#include "kernels/dense_product.hpp"

namespace eh {
namespace {

bool is_amd() {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_is("amd") != 0;
#else
  return false;
#endif
}

/// EQUIHEAT_NATIVE_PRODUCTS: 0 and 1 decide, else whose processor it is.
bool is_wanted() {
  const char* value = std::getenv("EQUIHEAT_NATIVE_PRODUCTS");
  const std::string_view word = value == nullptr ? "" : value;
  return word == "1" || (word != "0" && is_amd());
}

/// Null where torch's product is the one to take.
template <typename T>
kernels::MultiplyDense<T> native_product() {
  static const kernels::MultiplyDense<T> found = is_wanted() ? kernels::dense_product<T>("avx512") : nullptr;
  return found;
}

bool is_dense(const at::Tensor& x, at::ScalarType type) {
  return x.is_cpu() && x.scalar_type() == type && x.layout() == at::kStrided && x.dim() == 2 && !x.is_neg() &&
         !needs_grad(x) && (x.stride(0) == 1 || x.stride(1) == 1);
}

/// Thin products are bound by memory, and of little a call is all that counts.
bool goes_native(const at::Tensor& a, const at::Tensor& b) {
  constexpr std::int64_t kThin = 16;
  constexpr double kLeast = 1 << 18;
  const at::ScalarType type = a.scalar_type();
  if ((type != at::kFloat && type != at::kDouble) || !has_native_products()) return false;
  if (!is_dense(a, type) || !is_dense(b, type) || a.size(1) != b.size(0)) return false;
  const double operations = static_cast<double>(a.numel()) * static_cast<double>(b.size(1));
  return std::min({a.size(0), a.size(1), b.size(1)}) >= kThin && operations >= kLeast;
}

template <typename T>
kernels::DenseMatrix<T> dense(const at::Tensor& x) {
  return {x.const_data_ptr<T>(), x.size(0), x.size(1), x.stride(0), x.stride(1)};
}

template <typename T>
void multiply_as(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, kernels::Into into) {
  auto* const out = c.mutable_data_ptr<T>();
  const auto numbers = static_cast<std::int64_t>(kernels::dense_product_scratch() / sizeof(T)) + 1;
  parallel_rows(c.size(0), a.size(1) * c.size(1), [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = a.new_empty({numbers});  // aligned to 64 by torch
    native_product<T>()(dense<T>(a), dense<T>(b), first, last, out, c.stride(0), into,
                        scratch.mutable_data_ptr());
  });
}

/// c = a b, or += or -=. @pre goes_native(a, b); rows of c are contiguous
void multiply_native(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, kernels::Into into) {
  if (a.scalar_type() == at::kFloat)
    multiply_as<float>(a, b, c, into);
  else
    multiply_as<double>(a, b, c, into);
}

/// c = a b for a block of rows of a matrix.
void write_product(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  if (goes_native(a, b))
    multiply_native(a, b, c, kernels::Into::Write);
  else
    c.addmm_(a, b, /*beta=*/0, /*alpha=*/1);
}

/// Rows from which a product with the own adjoint is made of halves.
constexpr std::int64_t kHalved = 192;

/// Whether b is a^H in a's memory and half of the product is worth the calls it takes.
bool is_own_adjoint(const at::Tensor& a, const at::Tensor& b) {
  if (a.size(0) < kHalved || a.size(1) < kHalved / 2 || a.size(0) != b.size(1) || a.size(1) != b.size(0))
    return false;
  if (!a.is_cpu() || !b.is_cpu() || a.scalar_type() != b.scalar_type() || needs_grad(a) || needs_grad(b))
    return false;
  if (!(a.is_floating_point() || a.is_complex()) || a.is_neg() || b.is_neg()) return false;
  return a.const_data_ptr() == b.const_data_ptr() && a.stride(0) == b.stride(1) &&
         a.stride(1) == b.stride(0) && (!a.is_complex() || a.is_conj() != b.is_conj());
}

/// c = a a^H by its lower half, which is mirrored.
void write_gram(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  const std::int64_t n = c.size(0);
  if (n < kHalved) return write_product(c, a, b);
  const std::int64_t half = n / 32 * 16, rest = n - half;  // blocks of whole vectors
  const at::Tensor upper = a.narrow(0, 0, half), lower = a.narrow(0, half, rest);
  write_gram(c.narrow(0, 0, half).narrow(1, 0, half), upper, b.narrow(1, 0, half));
  write_gram(c.narrow(0, half, rest).narrow(1, half, rest), lower, b.narrow(1, half, rest));
  const at::Tensor corner = c.narrow(0, half, rest).narrow(1, 0, half);
  write_product(corner, lower, b.narrow(1, 0, half));
  c.narrow(0, 0, half).narrow(1, half, rest).copy_(corner.mH());
}

}  // namespace

bool has_native_products() { return native_product<float>() != nullptr; }

at::Tensor matrix_product(const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() < 2 || b.dim() != 2) return a.matmul(b);
  if (a.dim() == 2 && is_own_adjoint(a, b)) {
    at::Tensor c = a.new_empty({a.size(0), a.size(0)});
    write_gram(c, a, b);
    return c;
  }
  const at::Tensor rows = a.dim() == 2 ? a : a.flatten(0, -2);  // as torch does
  if (!goes_native(rows, b)) return a.matmul(b);
  const at::Tensor c = a.new_empty({rows.size(0), b.size(1)});
  multiply_native(rows, b, c, kernels::Into::Write);
  if (a.dim() == 2) return c;
  std::vector<std::int64_t> shape = a.sizes().vec();
  shape.back() = b.size(1);
  return c.view(shape);
}

void update_product(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b, bool subtract) {
  if (goes_native(a, b) && is_dense(c, a.scalar_type()) && c.stride(1) == 1)
    multiply_native(a, b, c, subtract ? kernels::Into::Subtract : kernels::Into::Add);
  else
    c.addmm_(a, b, 1, subtract ? -1 : 1);
}

std::optional<at::Tensor> native_linear(const at::Tensor& x, const at::Tensor& w,
                                        const std::optional<at::Tensor>& bias) {
  const at::Tensor b = w.t();
  const bool plain = !bias || (!needs_grad(*bias) && bias->scalar_type() == x.scalar_type());
  if (!plain || !goes_native(x, b)) return std::nullopt;
  const at::Tensor c = x.new_empty({x.size(0), b.size(1)});
  if (bias) c.copy_(*bias);
  multiply_native(x, b, c, bias ? kernels::Into::Add : kernels::Into::Write);
  return c;
}

}  // namespace eh
