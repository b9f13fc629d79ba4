// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>

#include "kernels/cross_attention_reconstruction/gpu/copies.hpp"

/// Attention forwards: a tile of queries stays, keys and values stream past; the softmax runs along (online).
namespace eh::kernels::gpu {

/// What a block of threads works on, and with.
template <typename E>
struct Work {
  const E& e;
  const Reconstruction& p;
  const Plan& plan;
  float* own;      ///< the team's memory
  float* weights;  ///< the team's sums: weight (pixels, width), then bias
  Index image;
  int member;
  bool first;  ///< image of the team

  EH_DEVICE float* stage(int warp) const { return static_cast<float*>(e.shared()) + warp * kStage; }
  EH_DEVICE float* attended() const { return own + plan.attended; }
  EH_DEVICE float* logarithms(int head) const { return own + plan.logarithms + head * p.queries; }
  EH_DEVICE float* dots(int head) const { return own + plan.dots + head * p.queries; }
  EH_DEVICE float* gradients(int of_member) const {
    return own + plan.gradients + of_member * p.queries * p.width;
  }
  EH_DEVICE double* sums() const { return reinterpret_cast<double*>(own + plan.sums); }
};

/// Hands out pieces of shared memory, behind the warps' own.
template <typename M>
struct Pieces {
  typename M::Word* next;
  template <typename E>
  EH_DEVICE explicit Pieces(const Work<E>& w)
      : next(reinterpret_cast<typename M::Word*>(static_cast<float*>(w.e.shared()) + w.plan.warps * kStage)) {
  }
  EH_DEVICE typename M::Word* take(int words) {
    typename M::Word* piece = next;
    next += words;
    return piece;
  }
};

constexpr float kPerLn2 = 1.44269504088896341f;

template <typename M, int kChunk, typename E>
class Attend {
  using Word = typename M::Word;
  using Scores = Tile<kSide / 8>;
  using Mixed = Tile<kChunk / 8>;

 public:
  EH_DEVICE explicit Attend(const Work<E>& work) : w_(work), e_(work.e), p_(work.p), plan_(work.plan) {
    Pieces<M> pieces(work);
    query_ = pieces.take(plan_.rows * plan_.head_row);
    key_ = pieces.take(2 * kSide * plan_.head_row);
    value_ = pieces.take(2 * kSide * kValueRow);
    weight_ = pieces.take(plan_.rows * kWeightRow);
  }

  EH_DEVICE void run() const {
    for (int head = w_.member; head < p_.heads; head += plan_.members)
      for (int tile = 0; tile < plan_.query_tiles; ++tile) {
        const int first = tile * plan_.rows, there = least(plan_.rows, static_cast<int>(p_.queries) - first);
        e_.sync();
        copy_block<M>(e_, block_of(p_.query, w_.image, first, head * plan_.head, there, plan_.head), query_,
                      plan_.head_row, plan_.rows, plan_.head_words);
        for (int chunk = 0; chunk < plan_.chunks; ++chunk) rows(head, chunk, first);
      }
  }

 private:
  static constexpr int kValueRow = row_words<M>(kChunk), kWeightRow = row_words<M>(kSide);

  /// Registers of the rows of a warp.
  struct Rows {
    typename E::template PerWarp<typename E::template Lanes<Mixed>> mixed;
    typename E::template PerWarp<typename E::template Lanes<TwoRows>> top, sum;
  };

  EH_DEVICE void rows(int head, int chunk, int first) const {
    Rows r;
    e_.each_warp([&](int warp) {
      clear<kChunk / 8>(e_, r.mixed[warp]);
      e_.each_lane([&](int lane) {
        r.top[warp][lane] = {{-INFINITY, -INFINITY}};
        r.sum[warp][lane] = {{0, 0}};
      });
    });
    const int keys = static_cast<int>(p_.keys), column = head * plan_.head;
    const auto load = [&](int i, int b) {
      const int there = least(kSide, keys - i * kSide);
      copy_block<M>(e_, block_of(p_.key, w_.image, i * kSide, column, there, plan_.head),
                    key_ + b * kSide * plan_.head_row, plan_.head_row, kSide, plan_.head_words);
      const int offset = chunk * kChunk;
      copy_block<M>(e_, block_of(p_.value, w_.image, i * kSide, column + offset, there, plan_.head - offset),
                    value_ + b * kSide * kValueRow, kValueRow, kSide, kChunk);
    };
    stream(e_, ceil_div(keys, kSide), load,
           [&](int i, int b) { e_.each_warp([&](int warp) { keys_of(warp, b, keys - i * kSide, r); }); });
    e_.each_warp([&](int warp) { finish(warp, head, chunk, first, r); });
  }

  EH_DEVICE void keys_of(int warp, int buffer, int there, Rows& r) const {
    typename E::template Lanes<Scores> s;
    clear<kSide / 8>(e_, s);
    product<M, kSide / 8, Lies::along_sum, Lies::along_sum>(
        e_, s, {query_ + warp * kWarpRows * plan_.head_row, plan_.head_row},
        {key_ + buffer * kSide * plan_.head_row, plan_.head_row}, plan_.head_words);
    weigh(s, there, r.top[warp], r.sum[warp], r.mixed[warp]);
    Word* weight = weight_ + warp * kWarpRows * kWeightRow;
    store_words<M, kSide / 8>(e_, s, weight, kWeightRow);
    e_.sync_warp();
    product<M, kChunk / 8, Lies::along_sum, Lies::across_sum>(
        e_, r.mixed[warp], {weight, kWeightRow}, {value_ + buffer * kSide * kValueRow, kValueRow}, kSide);
  }

  /// Scores to weights relative to the largest score so far; what was summed before is scaled to it.
  EH_DEVICE void weigh(typename E::template Lanes<Scores>& s, int there,
                       typename E::template Lanes<TwoRows>& top, typename E::template Lanes<TwoRows>& sum,
                       typename E::template Lanes<Mixed>& mixed) const {
    typename E::template Lanes<TwoRows> higher, part;
    const float scale = static_cast<float>(p_.scale) * kPerLn2;
    e_.each_lane([&](int lane) {
      higher[lane] = top[lane];
      EH_UNROLL for (int n = 0; n < kSide / 8; ++n) EH_UNROLL for (int i = 0; i < 4; ++i) {
        float& x = s[lane].x[n][i];
        x = 8 * n + entry_column(lane, i) < there ? x * scale : -INFINITY;
        if (x > higher[lane].x[i / 2]) higher[lane].x[i / 2] = x;
      }
    });
    combine_rows(e_, higher, [](float a, float b) { return a > b ? a : b; });
    e_.each_lane([&](int lane) {
      part[lane] = {{0, 0}};
      EH_UNROLL for (int n = 0; n < kSide / 8; ++n) EH_UNROLL for (int i = 0; i < 4; ++i) {
        float& x = s[lane].x[n][i];
        x = 8 * n + entry_column(lane, i) < there ? e_.power_of_two(x - higher[lane].x[i / 2]) : 0.0f;
        part[lane].x[i / 2] += x;
      }
    });
    combine_rows(e_, part, [](float a, float b) { return a + b; });
    e_.each_lane([&](int lane) {
      TwoRows factor;
      EH_UNROLL for (int i = 0; i < 2; ++i) {
        const bool same = top[lane].x[i] == higher[lane].x[i];
        factor.x[i] = same ? 1.0f : e_.power_of_two(top[lane].x[i] - higher[lane].x[i]);
        sum[lane].x[i] = sum[lane].x[i] * factor.x[i] + part[lane].x[i];
      }
      EH_UNROLL for (int n = 0; n < kChunk / 8; ++n) EH_UNROLL for (int i = 0; i < 4; ++i) mixed[lane]
          .x[n][i] *= factor.x[i / 2];
      top[lane] = higher[lane];
    });
  }

  EH_DEVICE void finish(int warp, int head, int chunk, int first, Rows& r) const {
    const int queries = static_cast<int>(p_.queries), last = plan_.head - chunk * kChunk;
    const int start = first + warp * kWarpRows;
    float* out = w_.attended() + head * plan_.head + chunk * kChunk;
    e_.each_lane([&](int lane) {
      EH_UNROLL for (int n = 0; n < kChunk / 8; ++n) EH_UNROLL for (int i = 0; i < 4; ++i) r.mixed[warp][lane]
          .x[n][i] /= r.sum[warp][lane].x[i / 2];
    });
    each_staged<kChunk / 8>(e_, r.mixed[warp], w_.stage(warp), [&](int, int row, int column, float x) {
      if (start + row < queries && column < last) out[(start + row) * p_.width + column] = x;
    });
    e_.each_lane([&](int lane) {
      EH_UNROLL for (int i = 0; i < 2; ++i) {
        const int row = start + entry_row(lane, 2 * i);
        if (chunk == 0 && lane % 4 == 0 && row < queries)
          w_.logarithms(head)[row] = r.top[warp][lane].x[i] + e_.logarithm_of_two(r.sum[warp][lane].x[i]);
      }
    });
  }

  const Work<E>& w_;
  const E& e_;
  const Reconstruction& p_;
  const Plan& plan_;
  Word *query_, *key_, *value_, *weight_;
};

}  // namespace eh::kernels::gpu
