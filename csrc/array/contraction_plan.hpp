// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/contraction.hpp"

/// What a contraction knows before any data is touched: the loop nest and the cheapest way through it.
namespace eh {

/// Name of one loop of the nest: 0 .. nbatch-1 are batch axes, then m, n and k. kNoLabel: not split.
inline constexpr int kNoLabel = -1;

enum class Operand : std::uint8_t { A, B, C };

/// The loops of a contraction and the axis each has in an operand.
class LoopNest {
 public:
  explicit LoopNest(const Contraction& spec);

  int nbatch() const { return nbatch_; }
  int m() const { return nbatch_; }
  int n() const { return nbatch_ + 1; }
  int k() const { return nbatch_ + 2; }
  std::int64_t extent(int label) const { return extents_[static_cast<std::size_t>(label)]; }

  /// Axis of the loop in an operand, whose extent there may be 1 instead of the loop's; -1 if it has none.
  int axis(Operand operand, int label) const;
  /// The operand runs along the loop (it is neither absent from it nor broadcast).
  bool contains(Operand operand, int label) const;
  /// Loop along which the operand is split; kNoLabel also if it is broadcast along that loop.
  int split_label(Operand operand, const Layout& layout) const;
  /// Batch axes that c is summed over.
  const std::vector<std::int64_t>& summed_axes() const { return summed_; }
  std::int64_t numel(Operand operand) const;

 private:
  const Shape& shape(Operand operand) const;

  int nbatch_;
  Shape a_, b_, c_;
  Shape extents_;
  std::vector<std::int64_t> summed_;
};

/// How two operands with different splits meet.
enum class Meeting : std::uint8_t {
  CirculateA,  ///< blocks of a travel round the ring; c comes out split as b
  CirculateB,
  MoveA,  ///< a is redistributed to the split of b
  MoveB,
};

/// The meeting with the least traffic. Pure.
/// @pre la and lb are different labels, split_label of operands that are useful (see contraction.cpp)
Meeting choose_meeting(const LoopNest& nest, int la, int lb, int target, int nranks);

}  // namespace eh
