// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/flip_ops.h>
#include <ATen/ops/real_ops.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "array/autograd.hpp"
#include "kernels/roots_of_unity.hpp"
#include "layout/fft_plan.hpp"
#include "ops/fft.hpp"

/// Transforms along a split axis that is the only long one. Blocks are (rows, batch): rows are the split axis.
namespace eh::detail {
namespace {

namespace op = at::_ops;
using Rows = std::vector<std::int64_t>;  ///< rows per rank

Rows times(Rows rows, std::int64_t factor) {
  for (std::int64_t& count : rows) count *= factor;
  return rows;
}

/// The first min(n, m) rows of n where `to` wants m; zeros behind them.
at::Tensor moved(const at::Tensor& block, const Rows& from, const Rows& to, const CommPtr& comm) {
  const std::int64_t length = std::min(offsets_of(from).back(), offsets_of(to).back());
  return from == to ? block : move_rows(block, 0, from, to, {{0, 0, length}}, comm);
}

/// A (rows, columns, batch) matrix with balanced rows becomes its transpose with balanced rows.
at::Tensor transposed(const at::Tensor& block, std::int64_t rows, const CommPtr& comm) {
  const at::Tensor view = block.permute({1, 0, 2});
  const Shape shape = {block.size(1), rows, block.size(2)};
  const auto layout = [&](int split) { return share(Layout::balanced(shape, split, comm->size())); };
  return redistribute_local(view, layout(1), layout(0), comm);
}

template <typename Fill>
at::Tensor filled(const at::Tensor& like, const Shape& shape, const Fill& fill) {
  const at::Tensor out = like.new_empty(sizes(shape), like.options().device(at::kCPU));
  if (like.scalar_type() == at::kComplexFloat)
    fill(reinterpret_cast<std::complex<float>*>(out.mutable_data_ptr<c10::complex<float>>()));
  else
    fill(reinterpret_cast<std::complex<double>*>(out.mutable_data_ptr<c10::complex<double>>()));
  return out.to(like.device());
}

at::Tensor multiplied(const at::Tensor& x, const at::Tensor& factor) {
  return needs_grad(x) ? x.mul(factor) : x.mul_(factor);
}

/// Bailey's six steps, without scale: rows of any layout, cut or padded to n, to the first rows of n under `to`.
at::Tensor six_steps(const at::Tensor& block, const Rows& from, const Rows& to, std::int64_t n, bool forward,
                     const CommPtr& comm) {
  const auto [first, second] = *balanced_factors(n, comm->size());
  const std::int64_t batch = block.size(1);
  const Chunk rows = chunk(first, comm->size(), comm->rank());
  const Chunk columns = chunk(second, comm->size(), comm->rank());
  // Row i * second + j is entry (i, j); its transform has entry (k, l) in row l * first + k.
  at::Tensor x = moved(block, from, times(chunk_counts(first, comm->size()), second), comm);
  x = transposed(x.reshape({rows.count, second, batch}), first, comm);
  x = plain_fft(x, {1}, FftScale::None, forward);
  x = multiplied(x, filled(x, {columns.count, first, 1}, [&](auto* out) {
                   kernels::twiddles(n, columns.offset, columns.count, 0, first, forward, out);
                 }));
  x = plain_fft(transposed(x, second, comm), {1}, FftScale::None, forward);
  x = transposed(x, first, comm).reshape({columns.count * first, batch});
  return moved(x, times(chunk_counts(second, comm->size()), first), to, comm);
}

/// The kernel of Bluestein's convolution: rows k and m - k are conj(w[k]), k < n. Balanced rows.
at::Tensor mirrored_chirp(const at::Tensor& like, std::int64_t n, std::int64_t m, bool forward,
                          const CommPtr& comm) {
  const Chunk own = chunk(m, comm->size(), comm->rank());
  const at::Tensor out = like.new_zeros({own.count, 1});
  const auto write = [&](std::int64_t begin, std::int64_t end, std::int64_t shift, bool reversed) {
    begin = std::max(begin, own.offset);
    end = std::min(end, own.offset + own.count);
    if (begin >= end) return;
    const std::int64_t first = reversed ? m - end + 1 : begin + shift;
    at::Tensor part = filled(like, {end - begin, 1},
                             [&](auto* target) { kernels::chirp(n, first, end - begin, !forward, target); });
    out.narrow(0, begin - own.offset, end - begin).copy_(reversed ? op::flip::call(part, {0}) : part);
  };
  write(0, n, 0, false);
  write(m - n + 1, m, 0, true);
  return out;
}

/// Bluestein: the transform as a convolution with a chirp, of a length that has factors.
at::Tensor by_convolution(const at::Tensor& block, const Rows& from, const Rows& to, std::int64_t n,
                          bool forward, const CommPtr& comm) {
  const std::int64_t m = smooth_product(2 * n - 1, comm->size());
  const Rows rows = chunk_counts(n, comm->size());
  const Rows padded = chunk_counts(m, comm->size());
  const Chunk own = chunk(n, comm->size(), comm->rank());
  const at::Tensor line = block.to(c10::toComplexType(block.scalar_type()));
  const at::Tensor chirp = filled(line, {own.count, 1},
                                  [&](auto* out) { kernels::chirp(n, own.offset, own.count, forward, out); });
  const at::Tensor a = six_steps(moved(line, from, rows, comm).mul(chirp), rows, padded, m, true, comm);
  const at::Tensor b = six_steps(mirrored_chirp(line, n, m, forward, comm), padded, padded, m, true, comm);
  const at::Tensor product = six_steps(a.mul(b.div(static_cast<double>(m))), padded, rows, m, false, comm);
  return moved(product.mul(chirp), rows, to, comm);
}

at::Tensor complex_line(const at::Tensor& block, const Rows& from, const Rows& to, std::int64_t n,
                        bool forward, const CommPtr& comm) {
  return balanced_factors(n, comm->size()) ? six_steps(block, from, to, n, forward, comm)
                                           : by_convolution(block, from, to, n, forward, comm);
}

/// All n rows of a spectrum of real data from its first half. Balanced rows.
at::Tensor full_spectrum(const at::Tensor& block, const Rows& from, std::int64_t n, const CommPtr& comm) {
  const std::int64_t half = n / 2 + 1;
  const Rows some = chunk_counts(half, comm->size());
  const Rows all = chunk_counts(n, comm->size());
  const at::Tensor given = moved(block, from, some, comm);
  const at::Tensor reversed = op::flip::call(given, {0}).conj().resolve_conj();
  const at::Tensor mirrored = move_rows(reversed, 0, some, all, mirrored_moves(some, n, n - half), comm);
  return moved(given, some, all, comm).add(mirrored);
}

double divisor(const LineTransform& line) {
  const double n = static_cast<double>(line.n);
  return line.scale == FftScale::N ? n : line.scale == FftScale::RootN ? std::sqrt(n) : 1.0;
}

}  // namespace

DNDarray transform_long(const DNDarray& x, const LineTransform& line, const LayoutPtr& target) {
  const int axis = x.split();
  const at::Tensor front = x.local().movedim(axis, 0);
  std::vector<std::int64_t> shape(front.sizes().begin(), front.sizes().end());
  std::int64_t batch = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) batch *= shape[i];
  at::Tensor block = front.reshape({shape[0], batch});
  Rows from = x.layout().counts();
  if (line.kind == LineTransform::Kind::ToReal) {
    block = full_spectrum(block, from, line.n, x.comm_ptr());
    from = chunk_counts(line.n, x.comm().size());
  }
  at::Tensor out = complex_line(block, from, target->counts(), line.n, line.forward, x.comm_ptr());
  if (line.kind == LineTransform::Kind::ToReal) out = op::real::call(out);
  if (line.scale != FftScale::None) out = out.div(divisor(line));
  shape[0] = out.size(0);
  return {out.reshape(shape).movedim(0, axis).contiguous(), target, x.comm_ptr()};
}

}  // namespace eh::detail
