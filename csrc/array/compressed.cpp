// SPDX-License-Identifier: BSD-3-Clause
#include "array/compressed.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/masked_select_ops.h>

#include <algorithm>
#include <complex>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "kernels/compressed_values.hpp"

namespace eh {
namespace {

using Integer = std::int64_t;

/// Rows of one thread's part in a product.
constexpr Integer kRowGrain = 4096;

const Integer* data(const at::Tensor& t) { return t.const_data_ptr<Integer>(); }
Integer* writable(const at::Tensor& t) { return t.mutable_data_ptr<Integer>(); }
at::Tensor integers(const at::Tensor& like, Integer n) { return like.new_empty({n}, at::kLong); }

kernels::Sparsity sparsity(const Compressed& a) { return {data(a.begin), data(a.columns), a.rows()}; }

template <typename T>
const T* values_as(const at::Tensor& t) {
  return static_cast<const T*>(t.const_data_ptr());
}

template <typename T>
kernels::SparseRows<T> rows_as(const Compressed& a) {
  return {sparsity(a), values_as<T>(a.values)};
}

/// The type whose kernel computes for `type`: half precision goes through float32, small integers through int32,
/// whose low bits are theirs.
at::ScalarType kernel_type(at::ScalarType type) {
  if (at::isComplexType(type)) return type == at::kComplexDouble ? type : at::kComplexFloat;
  if (at::isFloatingType(type)) return type == at::kDouble ? type : at::kFloat;
  return c10::elementSize(type) == 8 || type == at::kUInt32 ? at::kLong : at::kInt;
}

at::Tensor ready(const at::Tensor& t) {
  return t.to(kernel_type(t.scalar_type())).resolve_conj().contiguous();
}
Compressed ready(const Compressed& a) { return a.with_values(ready(a.values)); }

/// Calls work with a null pointer of the kernel's element type.
template <typename Work>
void with_type(const at::Tensor& t, const Work& work) {
  switch (t.scalar_type()) {
    case at::kFloat:
      return work(static_cast<float*>(nullptr));
    case at::kDouble:
      return work(static_cast<double*>(nullptr));
    case at::kComplexFloat:
      return work(static_cast<std::complex<float>*>(nullptr));
    case at::kComplexDouble:
      return work(static_cast<std::complex<double>*>(nullptr));
    case at::kInt:
      return work(static_cast<std::uint32_t*>(nullptr));
    default:
      return work(static_cast<std::uint64_t*>(nullptr));
  }
}

/// True if both have entries at the same places.
bool same_places(const Compressed& a, const Compressed& b) {
  const auto equal = [](const at::Tensor& s, const at::Tensor& t) {
    return s.is_same(t) || (s.size(0) == t.size(0) && std::equal(data(s), data(s) + s.size(0), data(t)));
  };
  return a.entries() == b.entries() && equal(a.begin, b.begin) && equal(a.columns, b.columns);
}

using Count = Integer (*)(const kernels::Sparsity&, const kernels::Sparsity&, Integer*);

/// Room for the entries that `count` finds.
Compressed allocate(const Compressed& a, const Compressed& b, Count count) {
  const at::Tensor begin = integers(a.begin, a.rows() + 1);
  const Integer n = count(sparsity(a), sparsity(b), writable(begin));
  return {begin, integers(begin, n), a.values.new_empty({n}), a.width};
}

}  // namespace

Compressed compress(const at::Tensor& row_of, const at::Tensor& column_of, const at::Tensor& values,
                    Integer rows, Integer width) {
  const Integer n = row_of.size(0);
  const at::Tensor begin = integers(row_of, rows + 1);
  const at::Tensor columns = integers(row_of, n);
  const at::Tensor order = integers(row_of, n);
  const bool distinct = kernels::compress(data(row_of), data(column_of), n, rows, writable(begin),
                                          writable(columns), writable(order));
  const at::Tensor sorted = values.index_select(0, order);
  if (distinct) return {begin, columns, sorted, width};
  const at::Tensor group = order;  // no longer needed
  const Integer kept = kernels::merge_repeated(rows, writable(begin), writable(columns), writable(group));
  const at::Tensor terms = ready(sorted);
  const at::Tensor sums = terms.new_zeros({kept});
  with_type(terms, [&]<typename T>(T*) {
    kernels::sum_groups(values_as<T>(terms), data(group), n, static_cast<T*>(sums.mutable_data_ptr()));
  });
  return {begin, columns.narrow(0, 0, kept).clone(), sums.to(values.scalar_type()), width};
}

Compressed canonical(const Compressed& a) {
  if (kernels::is_canonical(sparsity(a))) return a;
  return compress(rows_of(a), a.columns, a.values, a.rows(), a.width);
}

at::Tensor rows_of(const Compressed& a) {
  const at::Tensor out = integers(a.begin, a.entries());
  kernels::rows_of_entries(sparsity(a), writable(out));
  return out;
}

Compressed row_range(const Compressed& a, Integer begin, Integer count) {
  const Integer first = data(a.begin)[begin];
  const Integer n = data(a.begin)[begin + count] - first;
  return {a.begin.narrow(0, begin, count + 1).sub(first), a.columns.narrow(0, first, n),
          a.values.narrow(0, first, n), a.width};
}

Compressed pick_rows(const Compressed& a, const at::Tensor& rows) {
  const at::Tensor begin = integers(a.begin, rows.size(0) + 1);
  std::vector<Integer> entries;
  kernels::pick_rows(sparsity(a), data(rows), rows.size(0), writable(begin), entries);
  const at::Tensor chosen = integers(a.begin, static_cast<Integer>(entries.size()));
  std::copy(entries.begin(), entries.end(), writable(chosen));
  return {begin, a.columns.index_select(0, chosen), a.values.index_select(0, chosen), a.width};
}

Compressed from_dense(const at::Tensor& x) {
  const at::Tensor mask = x.ne(0).contiguous();
  const at::Tensor begin = x.new_empty({x.size(0) + 1}, at::kLong);
  const bool* marks = mask.const_data_ptr<bool>();
  const Integer n = kernels::count_marked(marks, x.size(0), x.size(1), writable(begin));
  const at::Tensor columns = integers(begin, n);
  kernels::columns_of_marked(marks, x.size(0), x.size(1), writable(columns));
  return {begin, columns, at::_ops::masked_select::call(x, mask), x.size(1)};
}

at::Tensor to_dense(const Compressed& a) {
  const at::Tensor out = a.values.new_zeros({a.rows() * a.width});
  out.index_copy_(0, rows_of(a).mul_(a.width).add_(a.columns), a.values);
  return out.view({a.rows(), a.width});
}

Compressed add(const Compressed& a, const Compressed& b) {
  const Compressed x = ready(a);
  const Compressed y = ready(b);
  if (same_places(a, b)) return a.with_values(x.values.add(y.values).to(a.values.scalar_type()));
  const Compressed out = allocate(x, y, kernels::count_union);
  with_type(x.values, [&]<typename T>(T*) {
    kernels::add_rows(rows_as<T>(x), rows_as<T>(y), writable(out.columns),
                      static_cast<T*>(out.values.mutable_data_ptr()));
  });
  return out.with_values(out.values.to(a.values.scalar_type()));
}

Compressed multiply(const Compressed& a, const Compressed& b) {
  const Compressed x = ready(a);
  const Compressed y = ready(b);
  if (same_places(a, b)) return a.with_values(x.values.mul(y.values).to(a.values.scalar_type()));
  const Compressed out = allocate(x, y, kernels::count_common);
  with_type(x.values, [&]<typename T>(T*) {
    kernels::multiply_rows(rows_as<T>(x), rows_as<T>(y), writable(out.columns),
                           static_cast<T*>(out.values.mutable_data_ptr()));
  });
  return out.with_values(out.values.to(a.values.scalar_type()));
}

Compressed times(const Compressed& a, const Compressed& b) {
  const Compressed x = ready(a);
  const Compressed y = ready(b);
  const at::Tensor begin = integers(a.begin, a.rows() + 1);
  const Integer n = kernels::count_product(sparsity(x), sparsity(y), b.width, writable(begin));
  const at::Tensor columns = integers(begin, n);
  const at::Tensor values = x.values.new_empty({n});
  with_type(x.values, [&]<typename T>(T*) {
    kernels::times_sparse(rows_as<T>(x), rows_as<T>(y), b.width, data(begin), writable(columns),
                          static_cast<T*>(values.mutable_data_ptr()));
  });
  return {begin, columns, values.to(a.values.scalar_type()), b.width};
}

std::pair<at::Tensor, Compressed> without_empty_columns(const Compressed& a) {
  const at::Tensor renumbered = integers(a.columns, a.entries());
  const std::vector<Integer> found =
      kernels::occurring(data(a.columns), a.entries(), a.width, writable(renumbered));
  const at::Tensor columns = integers(a.columns, static_cast<Integer>(found.size()));
  std::copy(found.begin(), found.end(), writable(columns));
  return {columns, {a.begin, renumbered, a.values, columns.size(0)}};
}

at::Tensor times_dense_blocks(const Compressed& a, const at::Tensor& x, bool transposed) {
  const Compressed m = ready(a);
  const at::Tensor dense = ready(x);
  const Integer width = dense.size(1);
  const at::Tensor out = transposed ? dense.new_zeros({a.width, width}) : dense.new_empty({a.rows(), width});
  with_type(dense, [&]<typename T>(T*) {
    T* to = static_cast<T*>(out.mutable_data_ptr());
    const kernels::SparseRows<T> rows = rows_as<T>(m);
    if (transposed) return kernels::transpose_times_dense(rows, values_as<T>(dense), width, to);
    at::parallel_for(0, a.rows(), kRowGrain, [&](Integer first, Integer last) {
      const kernels::Sparsity part = {rows.at.begin + first, rows.at.columns, last - first};
      kernels::times_dense<T>({part, rows.values}, values_as<T>(dense), width, to + first * width);
    });
  });
  return out.to(x.scalar_type());
}

}  // namespace eh
