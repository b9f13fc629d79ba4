// SPDX-License-Identifier: BSD-3-Clause
#include "ops/krylov.hpp"

#include <cmath>
#include <limits>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "ops/dealt.hpp"

namespace eh {
namespace {

double real_of(const at::Tensor& number) { return number.item().toComplexDouble().real(); }

/// conj(a) b for rows a: the conjugate of a vector is copied, not that of a matrix.
at::Tensor overlaps(const at::Tensor& rows, const at::Tensor& vector) {
  if (!vector.is_complex()) return rows.mv(vector);
  return rows.mv(vector.conj().resolve_conj()).conj().resolve_conj();
}

double epsilon(at::ScalarType type) {
  return at::toRealValueType(type) == at::kFloat ? std::numeric_limits<float>::epsilon()
                                                 : std::numeric_limits<double>::epsilon();
}

double frobenius_norm(const RowBlock& matrix) {
  const at::Tensor rows = matrix.block().norm(2, {1}).to(at::kDouble);
  return std::sqrt(matrix.total(rows.dot(rows).reshape({1})).select(0, 0).item<double>());
}

}  // namespace

RowBlock::RowBlock(const DNDarray& a) : comm_(a.comm_ptr()), extent_(a.shape()[0]) {
  const bool whole = !a.is_distributed() || a.layout().size() <= linalg_tuning().small;
  if (whole) {
    block_ = resplit(a, kNoSplit).local();
    return;
  }
  const LayoutPtr rows = share(Layout::balanced(a.shape(), 0, a.comm().size()));
  block_ = redistribute(a, rows).local();
  counts_ = rows->counts();
  begin_ = rows->offset(a.comm().rank());
}

at::Tensor RowBlock::whole(const at::Tensor& own) const {
  return counts_.empty() ? own : allgather(own, 0, counts_, *comm_);
}

at::Tensor RowBlock::total(const at::Tensor& partial) const {
  return counts_.empty() ? partial : allreduce(partial, ReduceOp::Sum, *comm_);
}

at::Tensor conjugate_gradients(const DNDarray& a, const at::Tensor& b, const at::Tensor& start, double rtol,
                               std::int64_t steps) {
  const RowBlock matrix(a);
  const auto product = [&](const at::Tensor& v) { return matrix.whole(matrix.block().mv(v)); };
  at::Tensor x = start.clone();
  at::Tensor r = b.sub(product(x));
  at::Tensor p = r.clone();
  double square = real_of(r.vdot(r));
  const double limit = rtol * rtol * real_of(b.vdot(b));
  for (std::int64_t step = 0; step < steps && square > limit; ++step) {
    const at::Tensor ap = product(p);
    const double along = square / real_of(p.vdot(ap));
    x.add_(p, along);
    r.sub_(ap, along);
    const double before = square;
    square = real_of(r.vdot(r));
    p.mul_(square / before).add_(r);
  }
  return x;
}

KrylovSpace::KrylovSpace(const DNDarray& a, std::int64_t vectors)
    : a_(a),
      matrix_(a),
      rows_(a.local().new_zeros({vectors, matrix_.rows()})),
      least_(10 * epsilon(a.local().scalar_type()) * frobenius_norm(matrix_)) {}

KrylovSpace::Rest KrylovSpace::orthogonal(const at::Tensor& own) const {
  const at::Tensor known = rows_.narrow(0, 0, count_);
  const at::Tensor first = matrix_.total(overlaps(known, own));
  const at::Tensor w = own.addmv(known.mT(), first, 1, -1);
  // The second parts and the square before them in one message: what is left has the difference of the squares.
  const at::Tensor both = w.new_empty({count_ + 1});
  both.narrow(0, 0, count_).copy_(overlaps(known, w));
  both.select(0, count_).copy_(w.vdot(w));
  const at::Tensor found = matrix_.total(both);
  const at::Tensor second = found.narrow(0, 0, count_);
  w.addmv_(known.mT(), second, 1, -1);
  const double square = real_of(found.select(0, count_));
  double left = square - real_of(second.vdot(second));
  if (left < square / 2) left = real_of(matrix_.total(w.vdot(w).reshape({1})).select(0, 0));  // digits cancel
  return {w, count_ > 0 ? real_of(first.select(0, count_ - 1)) : 0, std::sqrt(left)};
}

void KrylovSpace::set(const Rest& rest) {
  rows_.select(0, count_).copy_(rest.vector).div_(rest.norm);
  ++count_;
}

void KrylovSpace::append(const at::Tensor& whole) {
  if (count_ > 0) beside_.push_back(0);
  set(orthogonal(matrix_.own(whole)));
}

bool KrylovSpace::grow() {
  while (true) {
    const at::Tensor w = matrix_.block().mv(matrix_.whole(rows_.select(0, count_ - 1)));
    const Rest rest = orthogonal(w);
    diagonal_.push_back(rest.along);
    if (count_ == rows_.size(0)) return true;
    if (rest.norm <= least_) return false;
    beside_.push_back(rest.norm);
    set(rest);
  }
}

DNDarray KrylovSpace::basis() const {
  const LayoutPtr layout = share(Layout::balanced({matrix_.extent(), rows_.size(0)},
                                                  a_.layout().is_split() ? 0 : kNoSplit, a_.comm().size()));
  const int rank = a_.comm().rank();
  const bool cut = layout->is_split() && rows_.size(1) == matrix_.extent();  // whole, but to be split
  const at::Tensor own = cut ? rows_.narrow(1, layout->offset(rank), layout->count(rank)) : rows_;
  return {own.mT().contiguous(), layout, a_.comm_ptr()};
}

DNDarray KrylovSpace::tridiagonal() const {
  const std::int64_t m = rows_.size(0);
  const at::Tensor t =
      at::Tensor(rows_.new_zeros({m, m}, rows_.options().dtype(at::toRealValueType(rows_.scalar_type()))));
  for (std::int64_t i = 0; i < m; ++i) t.select(0, i).select(0, i).fill_(diagonal_[i]);
  for (std::int64_t i = 0; i + 1 < m; ++i) {
    t.select(0, i).select(0, i + 1).fill_(beside_[i]);
    t.select(0, i + 1).select(0, i).fill_(beside_[i]);
  }
  return {t, share(Layout::replicated({m, m}, a_.comm().size())), a_.comm_ptr()};
}

}  // namespace eh
