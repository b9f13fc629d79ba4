// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/gpu/attend.hpp"

/// Attention backwards: a tile of keys and values stays, queries and the gradients of their results stream past.
/// Weights are computed again from the logarithms of their sums. A warp owns 16 keys: the gradients of keys and values
/// stay in its registers; those of queries are summed over the keys of all warps.
namespace eh::kernels::gpu {

template <typename M, int kChunk, typename E>
class Adjoint {
  using Word = typename M::Word;
  using Weights = Tile<kQueries / 8>;
  using Keys = Tile<kChunk / 8>;
  static constexpr int kWeightRow = row_words<M>(kQueries);
  static constexpr int kPiece = 16;  ///< features of the queries' gradient a warp sums at a time

 public:
  EH_DEVICE explicit Adjoint(const Work<E>& work)
      : w_(work),
        e_(work.e),
        p_(work.p),
        plan_(work.plan),
        queries_(static_cast<int>(p_.queries)),
        keys_(static_cast<int>(p_.keys)),
        factor_(p_.attention_only ? 1.0f : static_cast<float>(factor_of(p_))) {
    Pieces<M> pieces(work);
    key_ = pieces.take(plan_.rows * plan_.head_row);
    value_ = pieces.take(plan_.rows * plan_.head_row);
    query_ = pieces.take(2 * kQueries * plan_.head_row);
    gradient_ = pieces.take(2 * kQueries * plan_.head_row);
    weights_ = pieces.take(plan_.rows * kWeightRow);
    scores_ = pieces.take(plan_.rows * kWeightRow);
  }

  EH_DEVICE void run() const {
    if (p_.residual_gradient.data != nullptr) residual_gradient();
    const bool attention = p_.query_gradient.data != nullptr || p_.key_gradient.data != nullptr ||
                           p_.value_gradient.data != nullptr;
    if (!attention) return;
    for (int head = w_.member; head < p_.heads; head += plan_.members) {
      dots(head);
      for (int tile = 0; tile < plan_.key_tiles; ++tile) {
        load_keys(head, tile * plan_.rows);
        for (int chunk = 0; chunk < plan_.chunks; ++chunk) keys_of(head, chunk, tile * plan_.rows);
      }
    }
  }

 private:
  /// The loss's gradient (unscaled) of a number of attention's output: what members have summed.
  EH_DEVICE float gradient_at(int token, int column) const {
    const Tokens& given = p_.mixed_gradient;
    if (p_.attention_only)
      return number_at(given.data, given.element, w_.image * given.image + token * given.row + column);
    float sum = 0;
    for (int m = 0; m < plan_.members; ++m) sum += w_.gradients(m)[token * p_.width + column];
    return sum;
  }

  EH_DEVICE void residual_gradient() const {
    const int width = static_cast<int>(p_.width), share = ceil_div(queries_, plan_.members);
    const int first = w_.member * share, there = least(share, queries_ - first);
    if (there <= 0) return;
    e_.each_item(there * width, [&](int i) {
      const int token = first + i / width, column = i % width;
      const TokensOut& out = p_.residual_gradient;
      put_number(out, w_.image * out.image + token * out.row + column, factor_ * gradient_at(token, column));
    });
  }

  /// <gradient, attention> of each query, which is the mean of the weights' gradients under the weights.
  EH_DEVICE void dots(int head) const {
    float* out = w_.dots(head);
    e_.each_warp([&](int warp) {
      for (int token = warp; token < queries_; token += plan_.warps) {
        typename E::template Lanes<float> sum;
        e_.each_lane([&](int lane) {
          sum[lane] = 0;
          for (int i = lane; i < plan_.head; i += 32) {
            const int column = head * plan_.head + i;
            sum[lane] += gradient_at(token, column) * w_.attended()[token * p_.width + column];
          }
        });
        combine_lanes(e_, sum);
        e_.each_lane([&](int lane) {
          if (lane == 0) out[token] = sum[lane];
        });
      }
    });
  }

  EH_DEVICE void load_keys(int head, int first) const {
    e_.sync();
    const int there = least(plan_.rows, keys_ - first), column = head * plan_.head;
    copy_block<M>(e_, block_of(p_.key, w_.image, first, column, there, plan_.head), key_, plan_.head_row,
                  plan_.rows, plan_.head_words);
    copy_block<M>(e_, block_of(p_.value, w_.image, first, column, there, plan_.head), value_, plan_.head_row,
                  plan_.rows, plan_.head_words);
  }

  /// Gradients of the keys and values of a tile, in features chunk * kChunk, ...; with the first chunk those of queries.
  EH_DEVICE void keys_of(int head, int chunk, int first) const {
    typename E::template PerWarp<typename E::template Lanes<Keys>> key, value;
    e_.each_warp([&](int warp) {
      clear<kChunk / 8>(e_, key[warp]);
      clear<kChunk / 8>(e_, value[warp]);
    });
    const auto load = [&](int i, int b) { load_queries(head, i * kQueries, b); };
    stream(e_, ceil_div(queries_, kQueries), load, [&](int i, int b) {
      e_.each_warp([&](int warp) { weigh(warp, head, first, i * kQueries, b); });
      e_.each_warp([&](int warp) {
        const int own = warp * kWarpRows * kWeightRow, at = b * kQueries * plan_.head_row + chunk * kChunk;
        e_.sync_warp();
        product<M, kChunk / 8, Lies::along_sum, Lies::across_sum>(
            e_, value[warp], {weights_ + own, kWeightRow}, {gradient_ + at, plan_.head_row}, kQueries);
        product<M, kChunk / 8, Lies::along_sum, Lies::across_sum>(e_, key[warp], {scores_ + own, kWeightRow},
                                                                  {query_ + at, plan_.head_row}, kQueries);
      });
      if (chunk > 0 || p_.query_gradient.data == nullptr) return;
      e_.sync();
      e_.each_warp([&](int warp) { queries_gradient(warp, head, first, i * kQueries); });
    });
    const float scale = factor_ * static_cast<float>(p_.scale);
    e_.each_warp([&](int warp) {
      const int row = first + warp * kWarpRows, column = chunk * kChunk;
      write(key[warp], w_.stage(warp), row, head, column, scale, p_.key_gradient);
      write(value[warp], w_.stage(warp), row, head, column, factor_, p_.value_gradient);
    });
  }

  EH_DEVICE void load_queries(int head, int first, int b) const {
    const int there = least(kQueries, queries_ - first), column = head * plan_.head;
    const int at = b * kQueries * plan_.head_row;
    copy_block<M>(e_, block_of(p_.query, w_.image, first, column, there, plan_.head), query_ + at,
                  plan_.head_row, kQueries, plan_.head_words);
    fill_block<M>(e_, there, plan_.head, gradient_ + at, plan_.head_row, kQueries, plan_.head_words,
                  [&](int row, int i) { return gradient_at(first + row, column + i); });
  }

  /// Weights (keys x queries) of a warp's keys and the gradients of their scores, as words.
  EH_DEVICE void weigh(int warp, int head, int first, int query, int b) const {
    typename E::template Lanes<Weights> s, d;
    const int own = warp * kWarpRows * plan_.head_row, at = b * kQueries * plan_.head_row;
    clear<kQueries / 8>(e_, s);
    clear<kQueries / 8>(e_, d);
    product<M, kQueries / 8, Lies::along_sum, Lies::along_sum>(
        e_, s, {key_ + own, plan_.head_row}, {query_ + at, plan_.head_row}, plan_.head_words);
    product<M, kQueries / 8, Lies::along_sum, Lies::along_sum>(
        e_, d, {value_ + own, plan_.head_row}, {gradient_ + at, plan_.head_row}, plan_.head_words);
    const float scale = static_cast<float>(p_.scale) * kPerLn2;
    const float *logarithms = w_.logarithms(head), *dots = w_.dots(head);
    e_.each_lane([&](int lane) {
      EH_UNROLL for (int n = 0; n < kQueries / 8; ++n) EH_UNROLL for (int i = 0; i < 4; ++i) {
        const int token = query + 8 * n + entry_column(lane, i);
        const bool there = token < queries_ && first + warp * kWarpRows + entry_row(lane, i) < keys_;
        float &x = s[lane].x[n][i], &y = d[lane].x[n][i];
        x = there ? e_.power_of_two(x * scale - logarithms[token]) : 0.0f;
        y = there ? x * (y - dots[token]) : 0.0f;
      }
    });
    store_words<M, kQueries / 8>(e_, s, weights_ + warp * kWarpRows * kWeightRow, kWeightRow);
    store_words<M, kQueries / 8>(e_, d, scores_ + warp * kWarpRows * kWeightRow, kWeightRow);
  }

  /// scores^T (queries x keys) * keys (keys x features): warps share out pieces of 16 queries x 16 features.
  EH_DEVICE void queries_gradient(int warp, int head, int first, int query) const {
    const int columns = ceil_div(plan_.head, kPiece), pieces = kQueries / kWarpRows * columns;
    for (int i = warp; i < pieces; i += plan_.warps) {
      const int row = i / columns * kWarpRows, column = i % columns * kPiece;
      typename E::template Lanes<Tile<kPiece / 8>> c;
      clear<kPiece / 8>(e_, c);
      product<M, kPiece / 8, Lies::across_sum, Lies::across_sum>(e_, c, {scores_ + row, kWeightRow},
                                                                 {key_ + column, plan_.head_row}, plan_.rows);
      add_queries(c, w_.stage(warp), head, first, query + row, column);
    }
  }

  EH_DEVICE void add_queries(typename E::template Lanes<Tile<kPiece / 8>>& c, float* stage, int head,
                             int first, int query, int column) const {
    const TokensOut& out = p_.query_gradient;
    float* sums = w_.own + plan_.query_sums + w_.member * p_.queries * plan_.head;
    const float scale = factor_ * static_cast<float>(p_.scale);
    const bool last = first + plan_.rows >= keys_;
    each_staged<kPiece / 8>(e_, c, stage, [&](int, int row, int i, float x) {
      const Index token = query + row;
      const int feature = column + i;
      if (token >= queries_ || feature >= plan_.head) return;
      float* sum = sums + token * plan_.head + feature;
      if (first > 0) x += *sum;
      if (!last)
        *sum = x;
      else
        put_number(out, w_.image * out.image + token * out.row + head * plan_.head + feature, scale * x);
    });
  }

  EH_DEVICE void write(typename E::template Lanes<Keys>& c, float* stage, int row, int head, int column,
                       float scale, const TokensOut& out) const {
    if (out.data == nullptr) return;
    each_staged<kChunk / 8>(e_, c, stage, [&](int, int r, int i, float x) {
      if (row + r >= keys_ || column + i >= plan_.head) return;
      put_number(out, w_.image * out.image + (row + r) * out.row + head * plan_.head + column + i, scale * x);
    });
  }

  const Work<E>& w_;
  const E& e_;
  const Reconstruction& p_;
  const Plan& plan_;
  int queries_, keys_;
  float factor_;
  Word *key_, *value_, *query_, *gradient_, *weights_, *scores_;
};

}  // namespace eh::kernels::gpu
