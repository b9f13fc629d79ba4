// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/gpu/adjoint.hpp"
#include "kernels/cross_attention_reconstruction/gpu/compare.hpp"

/// What a team does with an image, in phases: between two of them all members of the team wait for each other.
namespace eh::kernels::gpu {

constexpr int kPhases = 3;

/// Attention alone: its output to the caller.
template <typename E>
EH_DEVICE void write_mixed(const Work<E>& w) {
  const TokensOut& out = w.p.mixed;
  const int width = static_cast<int>(w.p.width), head = w.plan.head;
  if (out.data == nullptr) return;
  w.e.sync();
  w.e.each_item(static_cast<int>(w.p.queries) * width, [&](int i) {
    const int token = i / width, column = i % width;
    if (column / head % w.plan.members != w.member) return;
    put_number(out, w.image * out.image + token * out.row + column, w.attended()[i]);
  });
}

// Functions that are called, so that what one phase keeps in registers is not kept through the others.

template <typename M, int kChunk, typename E>
EH_OUTLINE void attend(const Work<E>& w) {
  Attend<M, kChunk, E>(w).run();
  if (w.p.attention_only) write_mixed(w);
}
template <typename M, typename E>
EH_OUTLINE void compare(const Work<E>& w,
                        typename E::template PerWarp<typename E::template Lanes<double>>& squares) {
  Compare<M, E>(w).run(squares);
}
template <typename M, int kChunk, typename E>
EH_OUTLINE void adjoint(const Work<E>& w) {
  Adjoint<M, kChunk, E>(w).run();
}

template <typename M, int kChunk, typename E>
EH_DEVICE void run_phase(const Work<E>& w, int phase,
                         typename E::template PerWarp<typename E::template Lanes<double>>& squares) {
  if (phase == 0) attend<M, kChunk, E>(w);
  if (phase == 1 && !w.p.attention_only) compare<M, E>(w, squares);
  if (phase == 2 && w.p.gradients) adjoint<M, kChunk, E>(w);
}

/// The member's sum of squared errors, in an order of its own: lanes, then warps.
template <typename E>
EH_DEVICE void write_loss(const Work<E>& w,
                          typename E::template PerWarp<typename E::template Lanes<double>>& squares) {
  double* sums = reinterpret_cast<double*>(w.e.shared());
  w.e.sync();
  w.e.each_warp(
      [&](int warp) { w.e.each_lane([&](int lane) { sums[warp * 32 + lane] = squares[warp][lane]; }); });
  w.e.sync();
  w.e.each_item(1, [&](int) {
    double sum = 0;
    for (int i = 0; i < 32 * w.plan.warps; ++i) sum += sums[i];
    w.sums()[w.member] = sum;
  });
}

/// The second stage: sums of all teams, in the order of the teams.
/// @param i entry of the weight's gradient (pixels, width), followed by the bias's
EH_DEVICE float sum_of_teams(const float* weights, const Plan& plan, Index i) {
  float sum = 0;
  for (int team = 0; team < plan.teams; ++team) sum += weights[team * plan.weight_numbers + i];
  return sum;
}

}  // namespace eh::kernels::gpu
