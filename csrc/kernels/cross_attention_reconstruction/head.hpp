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
  using H = HeadTiles<T>;
  using Word = typename H::Word;

  Head(const Plan<T>& plan, const Weights<T>& weights, const Scratch<T>& scratch, const Group& group)
      : plan_(plan), w_(weights), s_(scratch), p_(plan.p), group_(group), rows_(group.rows()) {}

  /// @return sum of squared errors; with gradients also mixed_gradient, and the sums for weight and bias
  double run() const {
    if (p_.target.normalize_patches) normalize();
    const Rows<Real> mixed{s_.mixed, plan_.mixed_stride, rows_, p_.width};
    if constexpr (H::kPair == 2) pack_words<H>(mixed, s_.mixed_words, plan_.width_words);
    if constexpr (Plan<T>::kTurned)
      if (p_.gradients) pack_turned<H>(mixed, s_.mixed_across, plan_.row_words);
    if constexpr (!Plan<T>::kTurned)
      if (p_.gradients) pack_panels<H>(mixed, s_.mixed_across);
    double loss = 0;
    for (Index t = 0; t < plan_.tiles; ++t) {
      for (Index i = 0; i < rows_; i += kStripRows) {
        const Index count = least(kStripRows, rows_ - i);
        predict(t, i, count);
        loss += compare(t, i, count);
        if (p_.gradients) propagate(t, i, count);
      }
      if (p_.gradients) sum_weights(t);
    }
    return loss;
  }

 private:
  Index image_of(Index row) const { return group_.image + row / group_.rows_per_image; }
  Index token_of(Index row) const { return group_.first_row + row % group_.rows_per_image; }
  /// Where a row's prediction and error are: where words are pairs, of one strip at a time.
  static Index slot(Index row) { return H::kPair == 1 ? row : row % kStripRows; }
  Real* prediction_of(Index row) const { return s_.prediction + slot(row) * plan_.tile_stride; }
  bool counts(Index row) const {
    return p_.mask == nullptr || p_.mask[image_of(row) * p_.queries + token_of(row)] != 0;
  }

  void normalize() const {
    for (Index i = 0; i < rows_; ++i)
      patch_statistics(p_.target, image_of(i), token_of(i), p_.pixels, plan_.tile, s_.target,
                       s_.statistics + 2 * i);
  }

  void predict(Index t, Index first, Index rows) const {
    constexpr bool words = H::kPair == 2;
    const Index stride = words ? plan_.width_words : plan_.mixed_stride;
    const Word* a = nullptr;
    if constexpr (words) a = s_.mixed_words;
    if constexpr (!words) a = s_.mixed;
    multiply<H, true>({rows, plan_.tile_width(t), ceil_div(p_.width, H::kPair), a + first * stride, stride,
                       w_.transposed + t * w_.transposed_tile, prediction_of(first), plan_.tile_stride,
                       false});
  }

  /// Makes the loss's gradient of those rows of the tile of the prediction.
  double compare(Index t, Index first, Index rows) const {
    const Index count = plan_.tile_width(t);
    for (Index j = 0; j < plan_.tile; j += plan_.lanes) store(s_.bias_part + j, Vector<Real>{});
    double loss = 0;
    for (Index i = first; i < first + rows; i += H::kPair) loss += compare_rows(t, i, count);
    Real* bias = s_.bias_gradient + t * plan_.tile;
    if (p_.gradients)
      for (Index j = 0; j < count; j += plan_.lanes) store(bias + j, load(bias + j) + load(s_.bias_part + j));
    return loss;
  }

  double compare_rows(Index t, Index i, Index count) const {
    const Real* wanted = target_row(t, i, count, s_.target);
    if (H::kPair == 1 || i + 1 == rows_) return squares<false>(t, i, count, wanted, nullptr);
    const Real* next = target_row(t, i + 1, count, s_.target + plan_.tile_stride);
    return squares<true>(t, i, count, wanted, next);
  }

  /// Of the errors of row i and, with `Second`, the one after it. (A choice inside the loop would let the compiler round
  /// the sum differently with and without gradients.)
  template <bool Second>
  double squares(Index t, Index i, Index count, const Real* wanted, const Real* next) const {
    const Real *row = prediction_of(i), *bias = w_.bias + t * plan_.tile;
    const Words<H> out = error_of(i);
    const Real factor = static_cast<Real>(p_.factor);
    Vector<Real> sum{};
    for (Index j = 0; j < count; j += plan_.lanes) {
      const Vector<Real> shift = load(bias + j);
      const Vector<Real> x = load(row + j) + shift - load(wanted + j);
      Vector<Real> y{};
      if constexpr (Second) y = load(row + plan_.tile_stride + j) + shift - load(next + j);
      sum += x * x;
      if constexpr (Second) sum += y * y;
      if (!p_.gradients) continue;
      out.put(0, j, x * factor, y * factor, Second);
      store(s_.bias_part + j, load(s_.bias_part + j) + (x + y) * factor);
    }
    return static_cast<double>(sum_of<Real>(sum));
  }

  /// The words of the error of row i and the one after it.
  Words<H> error_of(Index i) const {
    if constexpr (H::kPair == 1) return {prediction_of(i), plan_.tile_stride, nullptr, 0};
    if constexpr (H::kPair == 2)
      return {s_.error_words + slot(i) * plan_.tile_words, plan_.tile_words,
              s_.error_pairs + i / 2 * plan_.tile_stride, plan_.tile_stride};
  }

  static constexpr Index kRowsAhead = 8;

  /// What row i is compared with, whole vectors: the caller's memory if it can be, else `buffer`. Also writes the
  /// prediction, and of a token that does not count makes one without error.
  const Real* target_row(Index t, Index i, Index count, Real* buffer) const {
    if (p_.prediction.data != nullptr) write_prediction(t, i, count, buffer);
    const Index image = image_of(i), token = token_of(i), first = t * plan_.tile;
    if (!counts(i)) {
      for (Index j = 0; j < count; j += plan_.lanes) {
        store(prediction_of(i) + j, Vector<Real>{});
        store(buffer + j, load(w_.bias + first + j));
      }
      return buffer;
    }
    const Target& target = p_.target;
    const bool same = target.element == (sizeof(Real) == 8 ? Element::f64 : Element::f32);
    if (same && !target.is_image && !target.normalize_patches && count % plan_.lanes == 0) {
      const Real* row =
          static_cast<const Real*>(target.data) + image * target.image + token * target.row + first;
      for (Index j = 0; j < count;
           j += 64 / Index{sizeof(Real)})  // far away, and too short for the processor to foresee
        __builtin_prefetch(row + kRowsAhead * target.row + j);
      return row;
    }
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
      store(buffer + j, load(prediction_of(i) + j) + load(w_.bias + t * plan_.tile + j));
    write_rows(Rows<Real>{buffer, 0, 1, count}, p_.prediction, offset);
  }

  void propagate(Index t, Index first, Index rows) const {
    multiply<H, true>({rows, p_.width, ceil_div(plan_.tile_width(t), H::kPair), error_of(first).along,
                       plan_.tile_words, w_.straight + t * w_.straight_tile,
                       s_.mixed_gradient + first * plan_.mixed_stride, plan_.mixed_stride, t > 0});
  }

  void sum_weights(Index t) const {
    const Index count = plan_.tile_width(t), depth = ceil_div(rows_, H::kPair);
    const Index stride = plan_.gradient_stride;
    const bool add = !group_.starts;
    Real* sum = s_.weight_gradient + t * plan_.gradient_tile;
    const Word* error = H::kPair == 1 ? error_of(0).along : error_of(0).across;
    if constexpr (Plan<T>::kTurned)
      multiply<H, true>({p_.width, count, depth, s_.mixed_across, plan_.row_words, error, sum, stride, add,
                         plan_.tile_stride});
    else
      multiply<H, false>(
          {count, p_.width, depth, error, plan_.tile_stride, s_.mixed_across, sum, stride, add});
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
