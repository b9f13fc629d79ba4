// SPDX-License-Identifier: BSD-3-Clause
#include "ops/column_folds.hpp"

#include <algorithm>
#include <vector>

#include "array/autograd.hpp"
#include "array/parallel.hpp"

namespace eh {
namespace {

/// Of fewer elements torch is as good: its sums are slower by 2 to 4 times only, its extremes by 30.
constexpr std::int64_t least_elements(ColumnFold fold) {
  return std::int64_t{1} << (fold == ColumnFold::Sum ? 16 : 13);
}
/// Fewer rows are added up as fast by torch, and sums of them in float64 would take more memory than they do.
constexpr std::int64_t kFoldRows = 32;

/// (outer, n, inner) of a contiguous tensor, and the shape of the result.
struct FoldExtents {
  std::int64_t outer = 1, n = 1, inner = 1;
  std::vector<std::int64_t> result;
};

/// Absent unless the axes are one run that ends before the innermost axis.
std::optional<FoldExtents> fold_extents(const at::Tensor& x, at::IntArrayRef dims, bool keepdims) {
  FoldExtents e;
  bool behind = false;
  for (std::int64_t axis = 0; axis < x.dim(); ++axis) {
    const std::int64_t size = x.size(axis);
    const bool reduced = std::find(dims.begin(), dims.end(), axis) != dims.end();
    if (!reduced || keepdims) e.result.push_back(reduced ? 1 : size);
    if (size == 1) continue;
    if (reduced && behind) return std::nullopt;
    behind = behind || (!reduced && e.n > 1);
    (reduced ? e.n : behind ? e.inner : e.outer) *= size;
  }
  if (e.inner == 1 || e.n < kFoldRows) return std::nullopt;
  return e;
}

template <ColumnFold F, typename T>
void fold_blocks(const T* x, const FoldExtents& e, kernels::Folded<T, F>* out) {
  if (e.outer > 1) {
    const std::int64_t block = e.n * e.inner;
    return parallel_rows(e.outer, block, [&](std::int64_t begin, std::int64_t end) {
      kernels::fold_columns<F>(x + begin * block, end - begin, e.n, e.inner, out + begin * e.inner);
    });
  }
  const std::int64_t parts = std::min(parts_of(e.n, e.inner), e.n / kFoldRows);
  std::vector<kernels::Folded<T, F>> found(static_cast<std::size_t>(parts * e.inner));
  parallel_parts(e.n, parts, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
    kernels::fold_columns<F>(x + begin * e.inner, 1, end - begin, e.inner, found.data() + part * e.inner);
  });
  std::copy_n(found.begin(), e.inner, out);
  for (std::int64_t part = 1; part < parts; ++part)
    kernels::merge_folds<F, T>(found.data() + part * e.inner, e.inner, out);
}

template <ColumnFold F, typename T>
at::Tensor folded(const at::Tensor& x, const FoldExtents& e) {
  using Out = kernels::Folded<T, F>;
  const at::Tensor out = x.detach().new_empty(e.result, c10::CppTypeToScalarType<Out>::value);
  fold_blocks<F, T>(x.const_data_ptr<T>(), e, out.mutable_data_ptr<Out>());
  return out;
}

template <typename T>
at::Tensor folded(ColumnFold fold, const at::Tensor& x, const FoldExtents& e) {
  if (fold == ColumnFold::Sum) return folded<ColumnFold::Sum, T>(x, e);
  return fold == ColumnFold::Min ? folded<ColumnFold::Min, T>(x, e) : folded<ColumnFold::Max, T>(x, e);
}

/// Absent for types without a kernel, or whose sums have another type.
std::optional<at::Tensor> folded_by_type(ColumnFold fold, const at::Tensor& x, const FoldExtents& e,
                                         at::ScalarType type) {
  const at::ScalarType given = x.scalar_type();
  const bool widens = fold == ColumnFold::Sum && at::isIntegralType(given, false) && type == at::kLong;
  if (type != given && !widens) return std::nullopt;
  if (given == at::kFloat) return folded<float>(fold, x, e);
  if (given == at::kDouble) return folded<double>(fold, x, e);
  if (given == at::kInt) return folded<std::int32_t>(fold, x, e);
  if (given == at::kLong) return folded<std::int64_t>(fold, x, e);
  if (given == at::kByte) return folded<std::uint8_t>(fold, x, e);
  return std::nullopt;
}

}  // namespace

std::optional<at::Tensor> fold_columns(ColumnFold fold, const at::Tensor& x, at::OptionalIntArrayRef dims,
                                       bool keepdims, at::ScalarType type) {
  if (!dims || x.numel() < least_elements(fold) || !x.is_cpu() || !x.is_contiguous() || needs_grad(x))
    return std::nullopt;
  const std::optional<FoldExtents> e = fold_extents(x, *dims, keepdims);
  if (!e) return std::nullopt;
  std::optional<at::Tensor> found = folded_by_type(fold, x, *e, type);
  if (found && found->scalar_type() != type) found = found->to(type);
  return found;
}

}  // namespace eh
