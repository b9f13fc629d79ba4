// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/attention.hpp"
#include "kernels/cross_attention_reconstruction/cpu.hpp"
#include "kernels/cross_attention_reconstruction/head.hpp"

/// The entry points of one instruction set and arithmetic, for the tables in portable.cpp, avx2.cpp, ...
namespace eh::kernels::engine {
namespace {

template <typename T>
struct Entry {
  using Real = typename T::Real;

  static CpuSizes sizes(const Reconstruction& p) {
    const Plan<T> plan(p);
    return {Weights<T>(plan, nullptr).bytes, Scratch<T>(plan, nullptr).bytes, plan.tiles, plan.together};
  }

  static void prepare(const Reconstruction& p, void* shared, Index first, Index last) {
    const Plan<T> plan(p);
    const Weights<T> w(plan, shared);
    for (Index t = first; t < last; ++t) {
      const Index start = t * plan.tile, count = plan.tile_width(t);
      with_element<Real>(p.weight.data, p.weight.element, start * p.weight.row, [&](auto* data) {
        pack_transposed<HeadTiles<T>>(Rows{data, p.weight.row, count, p.width},
                                      w.transposed + t * w.transposed_tile);
        if (p.gradients)
          pack_panels<HeadTiles<T>>(Rows{data, p.weight.row, count, p.width},
                                    w.straight + t * w.straight_tile);
      });
      for (Index j = 0; j < plan.tile; ++j) w.bias[start + j] = 0;
      if (p.bias.data == nullptr) continue;
      with_element<Real>(p.bias.data, p.bias.element, start,
                         [&](auto* data) { copy_rows(Rows{data, 0, 1, count}, w.bias + start, 0); });
    }
  }

  static double images(const Reconstruction& p, const void* shared, void* own, Index first, Index last) {
    [[maybe_unused]] const typename HeadTiles<T>::Session session{};
    const Plan<T> plan(p);
    const Weights<T> weights(plan, const_cast<void*>(shared));
    const Scratch<T> scratch(plan, own);
    if (p.gradients && !p.attention_only) {
      if (first == last) clear(scratch.weight_gradient, plan.tiles * plan.gradient_tile);
      clear(scratch.bias_gradient, plan.tiles * plan.tile);
    }
    // Groups of nearly the same size.
    const Index together = ceil_div(last - first, most(1, ceil_div(last - first, plan.together)));
    double loss = 0;
    for (Index image = first; image < last; image += together)
      for (Index block = 0; block < plan.blocks; ++block) {
        const Index row = block * plan.rows_per_image, rows = least(plan.rows_per_image, p.queries - row);
        const bool starts = image == first && block == 0;
        loss += group(plan, weights, scratch, {image, least(together, last - image), row, rows, starts});
      }
    return loss;
  }

  static void finish(const Reconstruction& p, void* const* own, Index count, WeightGradients sums,
                     Index first, Index last) {
    const Plan<T> plan(p);
    for (Index t = 0; t < count; ++t) {
      const Scratch<T> scratch(plan, own[t]);
      if (sums.weight != nullptr)
        add_weights(plan, scratch.weight_gradient, first, last, t > 0, static_cast<Real*>(sums.weight));
      if (sums.bias != nullptr)
        add(scratch.bias_gradient + first, last - first, t > 0, static_cast<Real*>(sums.bias) + first);
    }
  }

 private:
  static double group(const Plan<T>& plan, const Weights<T>& weights, const Scratch<T>& scratch,
                      const Group& group) {
    const Reconstruction& p = plan.p;
    const Index image = group.image, row = group.first_row, past = row + group.rows_per_image;
    const auto for_parts = [&](const auto& f) {
      for (Index i = 0; i < group.images; ++i)
        f(Attention<T>(plan, scratch, {image + i, i, row, group.rows_per_image}), i);
    };
    for_parts(
        [&](const Attention<T>& attention, Index) { attention.forward(!p.attention_only || !p.gradients); });
    const double loss = p.attention_only ? 0 : Head<T>(plan, weights, scratch, group).run();
    for_parts([&](const Attention<T>& attention, Index i) {
      const Real* rows = scratch.mixed + i * plan.rows_per_image * plan.mixed_stride;
      output(plan, p.mixed, rows, image + i, group);
      if (!p.gradients) return;
      Real* gradient = scratch.mixed_gradient + i * plan.rows_per_image * plan.mixed_stride;
      if (p.attention_only) input(plan, gradient, image + i, group);
      output(plan, p.residual_gradient, gradient, image + i, group);
      attention.backward(row == 0, past == p.queries);
    });
    return loss;
  }

  /// Rows first, ..., last - 1 of the weight's gradient of one thread.
  static void add_weights(const Plan<T>& plan, const Real* part, Index first, Index last, bool more,
                          Real* sum) {
    const Index width = plan.p.width;
    constexpr Index step = Plan<T>::kTurned ? Plan<T>::lanes : 1;
    for (Index i = first, count = 0; i < last; i += count) {
      const Index tile = i / plan.tile, row = i % plan.tile;
      const Real* from = part + tile * plan.gradient_tile;
      count = least(step, least(last - i, plan.tile - row));
      if constexpr (Plan<T>::kTurned)
        add_turned(Rows<Real>{from + row, plan.gradient_stride, width, count}, more, sum + i * width);
      else
        add(from + row * plan.gradient_stride, width, more, sum + i * width);
    }
  }

  static void clear(Real* part, Index count) {
    __builtin_memset(part, 0, static_cast<std::size_t>(count) * sizeof(Real));
  }

  static void add(const Real* part, Index count, bool more, Real* sum) {
    for (Index j = 0; j < count; ++j) sum[j] = more ? sum[j] + part[j] : part[j];
  }

  static void output(const Plan<T>& plan, const TokensOut& out, const Real* rows, Index image,
                     const Group& group) {
    write_rows(Rows<Real>{rows, plan.mixed_stride, group.rows_per_image, plan.p.width}, out,
               image * out.image + group.first_row * out.row);
  }
  static void input(const Plan<T>& plan, Real* rows, Index image, const Group& group) {
    const Tokens& x = plan.p.mixed_gradient;
    with_element<Real>(x.data, x.element, image * x.image + group.first_row * x.row, [&](auto* data) {
      copy_rows(Rows{data, x.row, group.rows_per_image, plan.p.width}, rows, plan.mixed_stride);
    });
  }
};

/// Rows of the table of engines.
template <typename T>
constexpr CpuEngine entry(const char* instructions, Arithmetic arithmetic) {
  return {instructions, arithmetic, Entry<T>::sizes, Entry<T>::prepare, Entry<T>::images, Entry<T>::finish};
}

}  // namespace
}  // namespace eh::kernels::engine
