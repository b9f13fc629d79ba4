// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/packing.hpp"

/// How a call is cut up, and where a thread keeps what.
///
/// A thread takes a group at a time: whole images, as many as make their rows of `mixed` worth a product with the
/// weights, or, of images with many tokens, a block of queries of one image. All a group needs stays in caches.
namespace eh::kernels::engine {
namespace {

/// Adjacent rows of a power of two would fall into the same cache sets.
template <typename Real>
constexpr Index padded(Index columns) {
  const Index stride = round_up(columns, kLanes<Real>);
  return stride % (16 * kLanes<Real>) == 0 ? stride + kLanes<Real> : stride;
}

constexpr Index kMixedBytes = 512 << 10;  ///< aim for the rows of a group: three tables of `width` numbers
constexpr Index kScoreBytes = 2 << 20;    ///< bound of the attention weights of a group
constexpr Index kTilePixels = 192;        ///< at most, of the prediction at a time

template <typename T>
struct Plan {
  using Real = typename T::Real;
  static constexpr Index lanes = kLanes<Real>;

  const Reconstruction& p;
  Index head, head_padded, head_words;
  Index rows_per_image = 1;  ///< of a group: all queries, or a block of them
  Index blocks = 1;          ///< of an image
  Index together = 1;        ///< images of a group
  Index mixed_stride, score_stride, score_words, width_words;
  Index tile = 0, tiles = 0, tile_stride = 0;
  Index weight_stride;

  explicit Plan(const Reconstruction& problem)
      : p(problem),
        head(p.width / p.heads),
        head_padded(padded<Real>(head)),
        head_words(padded<Real>(ceil_div(head, T::kPair))),
        mixed_stride(padded<Real>(p.width - head + round_up(head, lanes))),
        score_stride(padded<Real>(p.keys)),
        score_words(padded<Real>(ceil_div(p.keys, T::kPair))),
        width_words(padded<Real>(ceil_div(p.width, T::kPair))),
        weight_stride(padded<Real>(p.width)) {
    cut_rows();
    if (p.attention_only) return;
    tiles = ceil_div(p.pixels, kTilePixels);
    tile = round_up(ceil_div(p.pixels, tiles), lanes);
    tiles = ceil_div(p.pixels, tile);
    tile_stride = padded<Real>(tile);
  }

  Index rows() const { return together * rows_per_image; }
  Index tile_width(Index t) const { return least(tile, p.pixels - t * tile); }

 private:
  void cut_rows() {
    const Index size = static_cast<Index>(sizeof(Real));
    const Index row_bytes = 3 * p.width * size, score_bytes = p.keys * p.heads * size;
    const Index by_scores = most(16, kScoreBytes / most(1, score_bytes));
    const Index limit = least(most(64, 3 * kMixedBytes / most(1, row_bytes)), by_scores);
    const Index aim = least(least(512, most(64, kMixedBytes / most(1, row_bytes))), by_scores);
    blocks = most(1, ceil_div(p.queries, limit));
    rows_per_image = blocks == 1 ? p.queries : round_up(ceil_div(p.queries, blocks), 2);
    if (blocks > 1) blocks = ceil_div(p.queries, rows_per_image);
    together = blocks > 1 ? 1 : least(most(1, p.images), most(1, aim / most(1, p.queries)));
  }
};

/// Hands out aligned pieces of a buffer; with a null buffer it only counts.
class Carver {
 public:
  explicit Carver(void* buffer) : base_(static_cast<char*>(buffer)) {}
  template <typename X>
  X* take(Index count) {
    const std::size_t at = used_;
    // A vector more: reads of whole vectors may pass the end of the last row.
    used_ += (static_cast<std::size_t>(count) * sizeof(X) + 127) / 64 * 64;
    return base_ == nullptr ? nullptr : reinterpret_cast<X*>(base_ + at);
  }
  std::size_t used() const { return used_; }

 private:
  char* base_;
  std::size_t used_ = 0;
};

/// What all threads read: the weights in the two forms the products want, and the bias, padded with zeros.
template <typename T>
struct Weights {
  typename T::Word* transposed;  ///< tile by tile, B of mixed * weight^T
  typename T::Word* straight;    ///< tile by tile, B of gradient * weight
  typename T::Real* bias;
  Index transposed_tile, straight_tile;
  std::size_t bytes;

  Weights(const Plan<T>& plan, void* buffer) {
    Carver carver(buffer);
    constexpr Index lanes = Plan<T>::lanes;
    transposed_tile = ceil_div(plan.p.width, T::kPair) * plan.tile;
    straight_tile = ceil_div(plan.tile, T::kPair) * round_up(plan.p.width, lanes);
    transposed = carver.template take<typename T::Word>(plan.tiles * transposed_tile);
    straight = carver.template take<typename T::Word>(plan.p.gradients ? plan.tiles * straight_tile : 0);
    bias = carver.template take<typename T::Real>(plan.tiles * plan.tile);
    bytes = carver.used();
  }
};

/// What one thread owns. Where words are single numbers, forms that would be copies of one another share memory.
template <typename T>
struct Scratch {
  using Real = typename T::Real;
  using Word = typename T::Word;
  // sums over all images of the thread
  Real* weight_gradient;
  Real* bias_gradient;
  // of a group
  Real *mixed, *mixed_gradient;
  Word *mixed_words, *mixed_panels;
  Word* attention;  ///< weights of all heads, word rows along the queries
  Real* statistics;
  // of a tile of the prediction
  Real *prediction, *target, *bias_part;
  Word *error_words, *error_pairs;
  // of a head
  Word *rows_words, *row_panels, *key_panels;
  Real* scores;
  Word *score_words, *score_pairs;
  Real *query_part, *key_part, *value_part;
  std::size_t bytes;

  Scratch(const Plan<T>& plan, void* buffer) {
    Carver carver(buffer);
    group(plan, carver);
    attention_of_head(plan, carver);
    const Index words =
        most(most(plan.head_words, plan.score_words), most(plan.width_words, plan.tile_stride));
    carver.template take<Word>(T::kRowsPast * words);
    bytes = carver.used();
  }

 private:
  static constexpr bool kPaired = T::kPair > 1;

  void group(const Plan<T>& plan, Carver& carver) {
    const Reconstruction& p = plan.p;
    const Index rows = plan.rows(), gradients = p.gradients, head = p.attention_only ? 0 : 1;
    weight_gradient = carver.template take<Real>(gradients * head * p.pixels * plan.weight_stride);
    bias_gradient = carver.template take<Real>(gradients * plan.tiles * plan.tile);
    mixed = carver.template take<Real>(rows * plan.mixed_stride);
    mixed_gradient = carver.template take<Real>(gradients * rows * plan.mixed_stride);
    mixed_words = carver.template take<Word>(kPaired * head * rows * plan.width_words);
    mixed_panels = carver.template take<Word>(gradients * head * ceil_div(rows, T::kPair) *
                                              round_up(p.width, Plan<T>::lanes));
    attention = carver.template take<Word>(plan.together * p.heads * ceil_div(plan.rows_per_image, T::kPair) *
                                           plan.score_stride);
    statistics = carver.template take<Real>(2 * head * rows);
    prediction = carver.template take<Real>(rows * plan.tile_stride);
    target = carver.template take<Real>(2 * plan.tile_stride);
    bias_part = carver.template take<Real>(plan.tile_stride);
    error_words = carver.template take<Word>(kPaired * gradients * rows * plan.tile_stride / 2);
    error_pairs = carver.template take<Word>(kPaired * gradients * ceil_div(rows, 2) * plan.tile_stride);
  }

  void attention_of_head(const Plan<T>& plan, Carver& carver) {
    const Index queries = plan.rows_per_image, keys = plan.p.keys, gradients = plan.p.gradients;
    rows_words = carver.template take<Word>(queries * plan.head_words);
    const Index wide = round_up(plan.head, Plan<T>::lanes);
    row_panels = carver.template take<Word>(ceil_div(queries, T::kPair) * wide);
    key_panels = carver.template take<Word>(most(
        ceil_div(keys, T::kPair) * wide, ceil_div(plan.head, T::kPair) * round_up(keys, Plan<T>::lanes)));
    scores = carver.template take<Real>(queries * plan.score_stride);
    score_words = carver.template take<Word>(kPaired * queries * plan.score_words);
    score_pairs = carver.template take<Word>(kPaired * ceil_div(queries, 2) * plan.score_stride);
    query_part = carver.template take<Real>(gradients * queries * plan.head_padded);
    key_part = carver.template take<Real>(gradients * plan.p.heads * keys * plan.head_padded);
    value_part = carver.template take<Real>(gradients * plan.p.heads * keys * plan.head_padded);
  }
};

/// The rows of a group: `rows_per_image` queries from `first_row` on, of each of `images` images.
struct Group {
  Index image, images, first_row, rows_per_image;
  Index rows() const { return images * rows_per_image; }
};

}  // namespace
}  // namespace eh::kernels::engine
