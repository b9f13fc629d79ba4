// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/plan.hpp"
#include "kernels/cross_attention_reconstruction/softmax.hpp"
#include "kernels/cross_attention_reconstruction/targets.hpp"

/// Rows of `mixed` to pixels, their error, and back: a tile of pixels at a time, so that neither the prediction nor the
/// residual exists as a whole.
namespace eh::kernels::engine {
namespace {

template <typename T>
class Head {
 public:
  using Real = typename T::Real;
  using Word = typename T::Word;

  Head(const Plan<T>& plan, const Weights<T>& weights, const Scratch<T>& scratch, const Group& group)
      : plan_(plan), w_(weights), s_(scratch), p_(plan.p), group_(group), rows_(group.rows()) {}

  /// @return sum of squared errors; with gradients also mixed_gradient, and the sums for weight and bias
  double run() const {
    if (p_.target.normalize_patches) normalize();
    const Rows<Real> mixed{s_.mixed, plan_.mixed_stride, rows_, p_.width};
    if constexpr (T::kPair == 2) pack_words<T>(mixed, s_.mixed_words, plan_.width_words);
    if (p_.gradients) pack_panels<T>(mixed, s_.mixed_panels);
    double loss = 0;
    for (Index t = 0; t < plan_.tiles; ++t) {
      predict(t);
      loss += compare(t);
      if (p_.gradients) propagate(t);
    }
    return loss;
  }

 private:
  Index image_of(Index row) const { return group_.image + row / group_.rows_per_image; }
  Index token_of(Index row) const { return group_.first_row + row % group_.rows_per_image; }
  bool counts(Index row) const {
    return p_.mask == nullptr || p_.mask[image_of(row) * p_.queries + token_of(row)] != 0;
  }

  void normalize() const {
    for (Index i = 0; i < rows_; ++i)
      patch_statistics(p_.target, image_of(i), token_of(i), p_.pixels, plan_.tile, s_.target,
                       s_.statistics + 2 * i);
  }

  void predict(Index t) const {
    const Word* a = s_.mixed_words;
    if constexpr (T::kPair == 1) a = s_.mixed;
    multiply<T, true>({rows_, plan_.tile_width(t), ceil_div(p_.width, T::kPair), a,
                       T::kPair == 1 ? plan_.mixed_stride : plan_.width_words,
                       w_.transposed + t * w_.transposed_tile, s_.prediction, plan_.tile_stride, false});
  }

  /// Makes the loss's gradient of the tile of the prediction.
  double compare(Index t) const {
    const Index count = plan_.tile_width(t);
    for (Index j = 0; j < plan_.tile; j += plan_.lanes) store(s_.bias_part + j, Vector<Real>{});
    Words<T> out{s_.error_words, plan_.tile_stride / T::kPair, s_.error_pairs, plan_.tile_stride};
    if constexpr (T::kPair == 1) out = {s_.prediction, plan_.tile_stride, nullptr, 0};
    double loss = 0;
    for (Index i = 0; i < rows_; i += T::kPair) loss += compare_rows(t, i, count, out);
    Real* bias = s_.bias_gradient + t * plan_.tile;
    if (p_.gradients)
      for (Index j = 0; j < count; j += plan_.lanes) store(bias + j, load(bias + j) + load(s_.bias_part + j));
    return loss;
  }

  double compare_rows(Index t, Index i, Index count, const Words<T>& out) const {
    const bool second = T::kPair == 2 && i + 1 < rows_;
    const Real *row = s_.prediction + i * plan_.tile_stride, *bias = w_.bias + t * plan_.tile;
    const Real* wanted = target_row(t, i, count, s_.target);
    const Real* next = second ? target_row(t, i + 1, count, s_.target + plan_.tile_stride) : nullptr;
    const Real factor = static_cast<Real>(p_.factor);
    Vector<Real> squares{};
    for (Index j = 0; j < count; j += plan_.lanes) {
      const Vector<Real> shift = load(bias + j);
      const Vector<Real> x = load(row + j) + shift - load(wanted + j);
      const Vector<Real> y =
          second ? load(row + plan_.tile_stride + j) + shift - load(next + j) : Vector<Real>{};
      squares += x * x + y * y;
      if (!p_.gradients) continue;
      out.put(i, j, x * factor, y * factor, second);
      store(s_.bias_part + j, load(s_.bias_part + j) + (x + y) * factor);
    }
    return static_cast<double>(sum_of<Real>(squares));
  }

  /// What row i is compared with, whole vectors: the caller's memory if it can be, else `buffer`. Also writes the
  /// prediction, and of a token that does not count makes one without error.
  const Real* target_row(Index t, Index i, Index count, Real* buffer) const {
    if (p_.prediction.data != nullptr) write_prediction(t, i, count, buffer);
    const Index image = image_of(i), token = token_of(i), first = t * plan_.tile;
    if (!counts(i)) {
      for (Index j = 0; j < count; j += plan_.lanes) {
        store(s_.prediction + i * plan_.tile_stride + j, Vector<Real>{});
        store(buffer + j, load(w_.bias + first + j));
      }
      return buffer;
    }
    const Target& target = p_.target;
    const bool same = target.element == (sizeof(Real) == 8 ? Element::f64 : Element::f32);
    if (same && !target.is_image && !target.normalize_patches && count % plan_.lanes == 0)
      return static_cast<const Real*>(target.data) + image * target.image + token * target.row + first;
    read_target(target, image, token, first, count, buffer);
    if (target.normalize_patches) normalize_row(i, count, buffer);
    return buffer;
  }

  void normalize_row(Index i, Index count, Real* row) const {
    const Real mean = s_.statistics[2 * i], inverse = s_.statistics[2 * i + 1];
    for (Index j = 0; j < count; j += plan_.lanes)
      store(row + j, first_lanes<Real>((load(row + j) - mean) * inverse, Vector<Real>{}, count - j));
  }

  void write_prediction(Index t, Index i, Index count, Real* buffer) const {
    const Index offset = image_of(i) * p_.prediction.image + token_of(i) * p_.prediction.row + t * plan_.tile;
    for (Index j = 0; j < count; j += plan_.lanes)
      store(buffer + j, load(s_.prediction + i * plan_.tile_stride + j) + load(w_.bias + t * plan_.tile + j));
    write_rows(Rows<Real>{buffer, 0, 1, count}, p_.prediction, offset);
  }

  void propagate(Index t) const {
    const Index count = plan_.tile_width(t);
    const Word* along = s_.error_words;
    const Word* across = s_.error_pairs;
    if constexpr (T::kPair == 1) along = across = s_.prediction;
    multiply<T, true>({rows_, p_.width, ceil_div(count, T::kPair), along, plan_.tile_stride / T::kPair,
                       w_.straight + t * w_.straight_tile, s_.mixed_gradient, plan_.mixed_stride, t > 0});
    multiply<T, false>({count, p_.width, ceil_div(rows_, T::kPair), across, plan_.tile_stride,
                        s_.mixed_panels, s_.weight_gradient + t * plan_.tile * plan_.weight_stride,
                        plan_.weight_stride, true});
  }

  const Plan<T>& plan_;
  const Weights<T>& w_;
  const Scratch<T>& s_;
  const Reconstruction& p_;
  Group group_;
  Index rows_;
};

}  // namespace
}  // namespace eh::kernels::engine
