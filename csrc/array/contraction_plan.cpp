// SPDX-License-Identifier: BSD-3-Clause
#include "array/contraction_plan.hpp"

#include <limits>

namespace eh {

LoopNest::LoopNest(const Contraction& spec)
    : nbatch_(spec.a->ndim() - 2), a_(spec.a->gshape()), b_(spec.b->gshape()), c_(spec.c->gshape()) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(nbatch_); ++i) {
    extents_.push_back(a_[i] == 1 ? b_[i] : a_[i]);
    if (c_[i] != extents_[i]) summed_.push_back(static_cast<std::int64_t>(i));
  }
  const auto rows = static_cast<std::size_t>(nbatch_);
  extents_.insert(extents_.end(), {a_[rows], b_[rows + 1], a_[rows + 1]});
}

const Shape& LoopNest::shape(Operand operand) const {
  return operand == Operand::A ? a_ : operand == Operand::B ? b_ : c_;
}

int LoopNest::axis(Operand operand, int label) const {
  if (label == kNoLabel || label < nbatch_) return label;
  const int first = operand == Operand::B ? k() : m();
  const int second = operand == Operand::A ? k() : n();
  return label == first ? nbatch_ : label == second ? nbatch_ + 1 : -1;
}

bool LoopNest::contains(Operand operand, int label) const {
  const int at = axis(operand, label);
  return at >= 0 && shape(operand)[static_cast<std::size_t>(at)] == extent(label);
}

int LoopNest::split_label(Operand operand, const Layout& layout) const {
  const int split = layout.split();
  if (split < nbatch_) return split != kNoSplit && contains(operand, split) ? split : kNoLabel;
  const bool first = split == nbatch_;
  if (operand == Operand::A) return first ? m() : k();
  if (operand == Operand::B) return first ? k() : n();
  return first ? m() : n();
}

std::int64_t LoopNest::numel(Operand operand) const { return eh::numel(shape(operand)); }

namespace {

/// Elements a rank receives to bring c from split `label` to split `target`.
double delivery(const LoopNest& nest, int label, int target, double p) {
  const auto c = static_cast<double>(nest.numel(Operand::C));
  // Partial sums: an allreduce is a reduce_scatter and an allgather.
  if (!nest.contains(Operand::C, label)) return c * (p - 1) / p * (target == kNoLabel ? 2 : 1);
  if (label == target) return 0;
  return target == kNoLabel ? c * (p - 1) / p : c / p;
}

}  // namespace

Meeting choose_meeting(const LoopNest& nest, int la, int lb, int target, int nranks) {
  const double p = nranks;
  const auto a = static_cast<double>(nest.numel(Operand::A));
  const auto b = static_cast<double>(nest.numel(Operand::B));
  Meeting best = Meeting::CirculateB;
  double least = std::numeric_limits<double>::infinity();
  const auto offer = [&](bool possible, Meeting meeting, double cost) {
    if (possible && cost < least) {
      least = cost;
      best = meeting;
    }
  };
  const bool a_stays = nest.contains(Operand::C, la) && !nest.contains(Operand::B, la);
  const bool b_stays = nest.contains(Operand::C, lb) && !nest.contains(Operand::A, lb);
  offer(a_stays, Meeting::CirculateB, b * (p - 1) / p + delivery(nest, la, target, p));
  offer(b_stays, Meeting::CirculateA, a * (p - 1) / p + delivery(nest, lb, target, p));
  offer(nest.contains(Operand::B, la), Meeting::MoveB, b / p + delivery(nest, la, target, p));
  offer(nest.contains(Operand::A, lb), Meeting::MoveA, a / p + delivery(nest, lb, target, p));
  return best;
}

}  // namespace eh
