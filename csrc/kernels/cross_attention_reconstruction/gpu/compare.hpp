// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/gpu/pixels.hpp"

/// Rows of attention's output to pixels, their errors, and back. A group of tiles of 64 pixels at a time exists, as
/// words in shared memory; what is summed over tokens (weight, bias) or over pixels (the gradient of a row) is added to
/// the team's memory once per group. Errors are not scaled, so that half precision can hold them: what leaves the chip
/// is.
namespace eh::kernels::gpu {

template <typename M, typename E>
class Compare {
  using Word = typename M::Word;
  static constexpr int kTiles = kSide / 8, kSideRow = row_words<M>(kSide);
  using Side = Tile<kTiles>;

 public:
  EH_DEVICE explicit Compare(const Work<E>& work)
      : w_(work),
        e_(work.e),
        p_(work.p),
        plan_(work.plan),
        error_row_(row_words<M>(kSide * work.plan.group)),
        pixels_(static_cast<int>(p_.pixels)),
        width_(static_cast<int>(p_.width)),
        queries_(static_cast<int>(p_.queries)) {
    Pieces<M> pieces(work);
    mixed_ = pieces.take(plan_.rows * plan_.width_row);
    error_ = pieces.take(plan_.rows * error_row_);
    weight_ = pieces.take(2 * kSide * kSideRow);
    places_ = reinterpret_cast<Index*>(pieces.next);
    column_sums_ = reinterpret_cast<float*>(places_ + plan_.rows);
    statistics_ = column_sums_ + plan_.warps * kSide;
  }

  /// @return the lane's sum of squared errors
  EH_DEVICE void run(typename E::template PerWarp<typename E::template Lanes<double>>& squares) const {
    for (int tile = 0; tile < plan_.query_tiles; ++tile) {
      const int first = tile * plan_.rows;
      e_.sync();
      mix(first);
      place(first);
      if (p_.target.normalize_patches) normalize(first);
      for (int t = w_.member, done = 0; t < plan_.pixel_tiles; t += plan_.members * plan_.group, ++done) {
        const int left = ceil_div(plan_.pixel_tiles - t, plan_.members);
        group(first, t, least(plan_.group, left), done > 0, squares);
      }
      if (p_.gradients && w_.member >= plan_.pixel_tiles) no_gradient(first);
    }
  }

 private:
  /// Tile i of a group that starts at tile t: members take turns.
  EH_DEVICE int pixel(int t, int i) const { return (t + i * plan_.members) * kSide; }

  EH_DEVICE void mix(int first) const {
    const Tokens& r = p_.residual;
    const float* attended = w_.attended() + first * p_.width;
    const Index base = w_.image * r.image + first * r.row;
    fill_block<M>(e_, queries_ - first, width_, mixed_, plan_.width_row, plan_.rows, plan_.width_words,
                  [&](int row, int column) {
                    const float x = attended[row * p_.width + column];
                    if (r.data == nullptr) return x;
                    return x + number_at(r.data, r.element, base + row * r.row + column);
                  });
  }

  EH_DEVICE void place(int first) const {
    e_.each_item(plan_.rows, [&](int row) {
      const int token = first + row;
      const bool counted = token < queries_ && counts(p_, w_.image, token);
      places_[row] = counted ? token_place(p_.target, w_.image, token) : -1;
    });
  }

  EH_DEVICE void normalize(int first) const {
    e_.each_warp([&](int warp) {
      for (int row = warp; row < plan_.rows && first + row < queries_; row += plan_.warps)
        patch_statistics(e_, p_, w_.image, first + row, statistics_ + 2 * row);
    });
  }

  EH_DEVICE void group(int first, int t, int tiles, bool more,
                       typename E::template PerWarp<typename E::template Lanes<double>>& squares) const {
    typename E::template PerWarp<typename E::template Lanes<Side>> c;
    const int steps = plan_.width_words / kSide;
    stream(
        e_, tiles * steps, [&](int i, int b) { load_weight(pixel(t, i / steps), i % steps * kSide, b); },
        [&](int i, int b) {
          const int step = i % steps;
          e_.each_warp([&](int warp) {
            if (step == 0) clear<kTiles>(e_, c[warp]);
            product<M, kTiles, Lies::along_sum, Lies::along_sum>(
                e_, c[warp], {mixed_ + warp * kWarpRows * plan_.width_row + step * kSide, plan_.width_row},
                {weight_ + b * kSide * kSideRow, kSideRow}, kSide);
            if (step + 1 < steps) return;
            errors(warp, first, pixel(t, i / steps), i / steps * kSide, c[warp], squares[warp]);
          });
          if (step + 1 == steps && p_.gradients) add_bias(pixel(t, i / steps), first > 0);
        });
    if (!p_.gradients) return;
    rows_gradient(first, t, tiles, more);
    weight_gradient(t, tiles, first > 0);
  }

  EH_DEVICE void load_weight(int pixel, int column, int b) const {
    copy_block<M>(e_, block_of(p_.weight, 0, pixel, column, pixels_ - pixel, width_ - column),
                  weight_ + b * kSide * kSideRow, kSideRow, kSide, kSide);
  }

  /// Products to errors, kept as words from column `at` on; zeros where there is no pixel or the token does not count.
  /// Writes the prediction, sums up the squares, and the columns for the bias.
  EH_DEVICE void errors(int warp, int first, int pixel, int at, typename E::template Lanes<Side>& c,
                        typename E::template Lanes<double>& squares) const {
    typename E::template Lanes<float> column, sum;
    typename E::template Lanes<PatchPlace> place;
    typename E::template Lanes<float> bias;
    const auto next = [&](int k) {
      e_.each_lane([&](int lane) {
        const int e = pixel + k + lane % 16;
        column[lane] = 0;
        place[lane] = e < pixels_ ? patch_place(p_.target, e) : PatchPlace{0, 0, 0};
        bias[lane] = e < pixels_ && p_.bias.data != nullptr ? number_at(p_.bias.data, p_.bias.element, e) : 0;
      });
    };
    e_.each_lane([&](int lane) { sum[lane] = 0; });
    next(0);
    Word* words = error_ + warp * kWarpRows * error_row_ + at;
    each_staged<kTiles>(
        e_, c, w_.stage(warp),
        [&](int lane, int row, int k, float x) {
          x = error(x + bias[lane], warp * kWarpRows + row, first, pixel + k, place[lane]);
          words[row * error_row_ + k] = M::of(x);
          sum[lane] += x * x;
          column[lane] += x;
        },
        [&](int k) {
          combine_lanes(e_, column, 16);
          e_.each_lane([&](int lane) {
            if (lane < 16) column_sums_[warp * kSide + k + lane] = column[lane];
          });
          if (k + 16 < kSide) next(k + 16);
        });
    e_.each_lane([&](int lane) { squares[lane] += static_cast<double>(sum[lane]); });
  }

  EH_DEVICE float error(float x, int row, int first, int e, const PatchPlace& place) const {
    const TokensOut& out = p_.prediction;
    if (e >= pixels_) return 0;
    if (out.data != nullptr && first + row < queries_)
      put_number(out, w_.image * out.image + (first + row) * out.row + e, x);
    if (places_[row] < 0) return 0;
    float wanted = target_at(p_.target, places_[row], place);
    if (p_.target.normalize_patches) wanted = (wanted - statistics_[2 * row]) * statistics_[2 * row + 1];
    return x - wanted;
  }

  EH_DEVICE void add_bias(int pixel, bool more) const {
    e_.sync();
    float* sums = w_.weights + p_.pixels * p_.width + pixel;
    e_.each_item(least(kSide, pixels_ - pixel), [&](int i) {
      float sum = more || !w_.first ? sums[i] : 0.0f;
      for (int warp = 0; warp < plan_.warps; ++warp) sum += column_sums_[warp * kSide + i];
      sums[i] = sum;
    });
  }

  /// errors (rows x pixels) * weight (pixels x width), 64 columns at a time.
  EH_DEVICE void rows_gradient(int first, int t, int tiles, bool more) const {
    typename E::template PerWarp<typename E::template Lanes<Side>> c;
    float* out = w_.gradients(w_.member);
    stream(
        e_, tiles * (plan_.width_words / kSide),
        [&](int i, int b) { load_weight(pixel(t, i % tiles), i / tiles * kSide, b); },
        [&](int i, int b) {
          e_.each_warp([&](int warp) {
            if (i % tiles == 0) clear<kTiles>(e_, c[warp]);
            product<M, kTiles, Lies::along_sum, Lies::across_sum>(
                e_, c[warp], {error_ + warp * kWarpRows * error_row_ + i % tiles * kSide, error_row_},
                {weight_ + b * kSide * kSideRow, kSideRow}, kSide);
            if (i % tiles + 1 == tiles)
              add_to(c[warp], w_.stage(warp), first + warp * kWarpRows, i / tiles * kSide, queries_, out,
                     more);
          });
        });
  }

  /// A member without pixels adds nothing to the rows' gradient.
  EH_DEVICE void no_gradient(int first) const {
    float* out = w_.gradients(w_.member) + first * p_.width;
    e_.each_item(least(plan_.rows, queries_ - first) * width_, [&](int i) { out[i] = 0; });
  }

  /// errors^T (pixels x rows) * mixed (rows x width): warps share out pieces of 16 pixels x 64 columns.
  EH_DEVICE void weight_gradient(int t, int tiles, bool more) const {
    const int steps = plan_.width_words / kSide, pieces = tiles * (kSide / kWarpRows) * steps;
    e_.each_warp([&](int warp) {
      for (int i = warp; i < pieces; i += plan_.warps) {
        typename E::template Lanes<Side> c;
        clear<kTiles>(e_, c);
        const int column = i % steps * kSide, at = i / steps * kWarpRows;
        product<M, kTiles, Lies::across_sum, Lies::across_sum>(
            e_, c, {error_ + at, error_row_}, {mixed_ + column, plan_.width_row}, plan_.rows);
        add_to(c, w_.stage(warp), pixel(t, at / kSide) + at % kSide, column, pixels_, w_.weights,
               more || !w_.first);
      }
    });
  }

  /// Rows of `width` numbers in the team's memory, as many as there are.
  EH_DEVICE void add_to(typename E::template Lanes<Side>& c, float* stage, int row, int column, int rows,
                        float* out, bool more) const {
    each_staged<kTiles>(e_, c, stage, [&](int, int r, int k, float x) {
      if (row + r >= rows || column + k >= width_) return;
      float* to = out + static_cast<Index>(row + r) * width_ + column + k;
      *to = more ? *to + x : x;
    });
  }

  const Work<E>& w_;
  const E& e_;
  const Reconstruction& p_;
  const Plan& plan_;
  int error_row_, pixels_, width_, queries_;
  Word *mixed_, *error_, *weight_;
  Index* places_;  ///< of the rows' targets; negative where no row is or none counts
  float *column_sums_, *statistics_;
};

}  // namespace eh::kernels::gpu
