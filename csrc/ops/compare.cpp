// SPDX-License-Identifier: BSD-3-Clause
#include "ops/compare.hpp"

#include <ATen/ops/empty_strided_ops.h>
#include <ATen/ops/eq_ops.h>
#include <ATen/ops/ge_ops.h>
#include <ATen/ops/gt_ops.h>
#include <ATen/ops/isnan_ops.h>
#include <ATen/ops/le_ops.h>
#include <ATen/ops/lt_ops.h>
#include <ATen/ops/ne_ops.h>

#include "array/parallel.hpp"
#include "kernels/compare.hpp"

namespace eh {
namespace {

namespace op = at::_ops;
using kernels::Relation;

constexpr std::int64_t kFewest = 1024;  ///< elements from which the kernel is worth its checks

template <typename T>
void run(Relation relation, const at::Tensor& a, const at::Tensor& b, bool number, const at::Tensor& out) {
  const T* x = a.const_data_ptr<T>();
  const T* y = b.const_data_ptr<T>();
  bool* to = out.mutable_data_ptr<bool>();
  parallel_rows(a.numel(), 1, [=](std::int64_t begin, std::int64_t end) {
    kernels::compare(relation, x + begin, number ? y : y + begin, number, end - begin, to + begin);
  });
}

using Runner = void (*)(Relation, const at::Tensor&, const at::Tensor&, bool, const at::Tensor&);

Runner runner(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return &run<float>;
    case at::kDouble:
      return &run<double>;
    case at::kByte:
      return &run<std::uint8_t>;
    case at::kChar:
      return &run<std::int8_t>;
    case at::kShort:
      return &run<std::int16_t>;
    case at::kInt:
      return &run<std::int32_t>;
    case at::kLong:
      return &run<std::int64_t>;
    default:
      return nullptr;
  }
}

/// Undefined where the kernel does not apply.
at::Tensor compared(Relation relation, const at::Tensor& a, const at::Tensor& b) {
  const bool number = b.dim() == 0;
  const bool alike = number || (a.sizes() == b.sizes() && a.strides() == b.strides());
  if (a.numel() < kFewest || !alike || a.scalar_type() != b.scalar_type()) return {};
  if (!a.device().is_cpu() || !b.device().is_cpu() || !a.is_non_overlapping_and_dense()) return {};
  const Runner run = runner(a.scalar_type());
  if (run == nullptr) return {};
  const at::Tensor out = op::empty_strided::call(a.sym_sizes(), a.sym_strides(), at::kBool, std::nullopt,
                                                 at::kCPU, std::nullopt);
  run(relation, a, b, number, out);
  return out;
}

template <typename Otherwise>
at::Tensor compare(Relation relation, Otherwise otherwise, const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor out = compared(relation, a, b);
  return out.defined() ? out : otherwise(a, b);
}

}  // namespace

at::Tensor equal(const at::Tensor& a, const at::Tensor& b) {
  return compare(Relation::Equal, op::eq_Tensor::call, a, b);
}
at::Tensor greater(const at::Tensor& a, const at::Tensor& b) {
  return compare(Relation::Greater, op::gt_Tensor::call, a, b);
}
at::Tensor greater_equal(const at::Tensor& a, const at::Tensor& b) {
  return compare(Relation::GreaterEqual, op::ge_Tensor::call, a, b);
}
at::Tensor less(const at::Tensor& a, const at::Tensor& b) {
  return compare(Relation::Less, op::lt_Tensor::call, a, b);
}
at::Tensor less_equal(const at::Tensor& a, const at::Tensor& b) {
  return compare(Relation::LessEqual, op::le_Tensor::call, a, b);
}
at::Tensor not_equal(const at::Tensor& a, const at::Tensor& b) {
  return compare(Relation::NotEqual, op::ne_Tensor::call, a, b);
}

at::Tensor is_nan(const at::Tensor& x) {
  const at::Tensor out = x.is_floating_point() ? compared(Relation::NotEqual, x, x) : at::Tensor{};
  return out.defined() ? out : op::isnan::call(x);
}

}  // namespace eh
