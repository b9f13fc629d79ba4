// SPDX-License-Identifier: BSD-3-Clause
#include "ops/gram.hpp"

#include <algorithm>
#include <vector>

#include "array/products.hpp"
#include "kernels/gram.hpp"
#include "ops/samples.hpp"

namespace eh {
namespace {

/// Elements of a block of widened rows.
constexpr std::int64_t kGramElements = std::int64_t{1} << 19;

bool is_kernel_type(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble;
}

template <typename T, typename U>
void add_gram_native(const at::Tensor& x, const at::Tensor& y, const double* shift, double* sum) {
  const kernels::RowBlock<T> left = rows_of<T>(x);
  const kernels::RowBlock<U> right = rows_of<U>(y);
  const std::int64_t width = left.features + right.features;
  const std::int64_t parts = parts_of(left.rows, width * (width + 8) / 8);
  std::vector<double> sums(static_cast<std::size_t>(parts * width * width), 0.0);
  parallel_parts(left.rows, parts, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
    kernels::add_gram(part_of(left, begin, end), part_of(right, begin, end), shift,
                      sums.data() + part * width * width);
  });
  for (std::size_t i = 0; i < sums.size(); ++i) sum[i % static_cast<std::size_t>(width * width)] += sums[i];
}

void add_gram_native(const at::Tensor& x, const at::Tensor& y, const at::Tensor& shift,
                     const at::Tensor& sum) {
  const at::Tensor moved = shift.defined() ? shift.contiguous() : sum.new_zeros({sum.size(0)});
  by_type(x, [&]<typename T>() {
    by_type(y, [&]<typename U>() {
      add_gram_native<T, U>(x, y, moved.const_data_ptr<double>(), sum.mutable_data_ptr<double>());
    });
  });
}

void add_gram_products(const at::Tensor& x, const at::Tensor& y, const at::Tensor& shift,
                       const at::Tensor& sum) {
  const std::int64_t f = x.size(1), width = sum.size(0);
  const std::int64_t rows =
      std::min(x.size(0), std::max<std::int64_t>(256, kGramElements / std::max<std::int64_t>(1, width)));
  const at::Tensor block = sum.new_empty({rows, width});
  for (std::int64_t begin = 0; begin < x.size(0); begin += rows) {
    const std::int64_t n = std::min(rows, x.size(0) - begin);
    const at::Tensor z = block.narrow(0, 0, n);
    z.narrow(1, 0, f).copy_(x.narrow(0, begin, n));
    z.narrow(1, f, width - f).copy_(y.narrow(0, begin, n));
    if (shift.defined()) z.sub_(shift);
    sum.add_(matrix_product(z.t(), z));  // by its lower half
  }
}

}  // namespace

at::Tensor gram_of_rows(const at::Tensor& x, const at::Tensor& y, const at::Tensor& shift) {
  const std::int64_t width = x.size(1) + y.size(1);
  const at::Tensor sum = x.detach().new_zeros({width, width}, at::kDouble);
  if (x.is_cpu() && is_kernel_type(x) && width <= kernels::kGramWidth)
    add_gram_native(x.detach().contiguous(),
                    (is_kernel_type(y) ? y.detach() : y.detach().to(at::kDouble)).contiguous(), shift, sum);
  else
    add_gram_products(x.detach(), y.detach(), shift, sum);
  return sum;
}

}  // namespace eh
