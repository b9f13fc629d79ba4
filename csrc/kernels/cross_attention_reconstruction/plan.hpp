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

constexpr Index kBlockBytes = 1536 << 10;  ///< bound of the rows of a block: three tables of `width` numbers
constexpr Index kGroupBytes = 96 << 10;    ///< aim for those of several images: a group's tables stay close
constexpr Index kFarGroupBytes = 512 << 10;
constexpr Index kFarWeights =
    1 << 20;  ///< of more bytes, which each group fetches from afar: aim for kFarGroupBytes
constexpr Index kScoreBytes = 2 << 20;  ///< bound of the attention weights of a group
constexpr Index kStripRows = 128;       ///< of the prediction at a time; even
constexpr Index kTilePixels = 192;      ///< at most, of the prediction at a time

template <typename T>
struct Plan {
  using Real = typename T::Real;
  using H = HeadTiles<T>;
  static constexpr Index lanes = kLanes<Real>;
  /// The weight's gradient lies with its features along the rows of a tile: a product of the tile registers would have to
  /// transpose the error, tile by tile, to write it as it is wanted.
  static constexpr bool kTurned = H::kTileRegisters;

  const Reconstruction& p;
  Index head, head_padded, head_words;
  Index rows_per_image = 1;  ///< of a group: all queries, or a block of them
  Index blocks = 1;          ///< of an image
  Index together = 1;        ///< images of a group
  Index mixed_stride, score_stride, score_words, width_words;
  Index tile = 0, tiles = 0, tile_stride = 0, tile_words = 0;
  Index row_words = 0;                           ///< of the rows of a group, where these are summed over
  Index gradient_stride = 0, gradient_tile = 0;  ///< of the weight's gradient, tile by tile

  explicit Plan(const Reconstruction& problem)
      : p(problem),
        head(p.width / p.heads),
        head_padded(padded<Real>(head)),
        head_words(padded<Real>(ceil_div(head, T::kPair))),
        mixed_stride(padded<Real>(p.width - head + round_up(head, lanes))),
        score_stride(padded<Real>(p.keys)),
        score_words(padded<Real>(ceil_div(p.keys, T::kPair))),
        width_words(padded<Real>(ceil_div(p.width, H::kPair))) {
    cut_rows();
    if (p.attention_only) return;
    tiles = ceil_div(p.pixels, kTilePixels);
    tile = round_up(ceil_div(p.pixels, tiles), lanes);
    tiles = ceil_div(p.pixels, tile);
    tile_stride = padded<Real>(tile);
    row_words = padded<Real>(ceil_div(rows(), H::kPair));
    gradient_stride = kTurned ? tile_stride : padded<Real>(p.width);
    gradient_tile = gradient_stride * (kTurned ? round_up(p.width, lanes) : tile);
    tile_words = padded<Real>(ceil_div(tile, H::kPair));
  }

  Index rows() const { return together * rows_per_image; }
  Index tile_width(Index t) const { return least(tile, p.pixels - t * tile); }

 private:
  void cut_rows() {
    const Index size = static_cast<Index>(sizeof(Real));
    const Index row_bytes = 3 * p.width * size, score_bytes = p.keys * p.heads * size;
    const Index by_scores = most(16, kScoreBytes / most(1, score_bytes));
    const Index limit = least(most(64, kBlockBytes / most(1, row_bytes)), by_scores);
    const bool far = p.pixels * p.width * size > kFarWeights;
    const Index group_bytes = far ? kFarGroupBytes : kGroupBytes;
    const Index aim = least(least(512, most(64, group_bytes / most(1, row_bytes))), by_scores);
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
  using H = HeadTiles<T>;
  typename H::Word* transposed;  ///< tile by tile, B of mixed * weight^T
  typename H::Word* straight;    ///< tile by tile, B of gradient * weight
  typename T::Real* bias;
  Index transposed_tile, straight_tile;
  std::size_t bytes;

  Weights(const Plan<T>& plan, void* buffer) {
    Carver carver(buffer);
    constexpr Index lanes = Plan<T>::lanes;
    transposed_tile = ceil_div(plan.p.width, H::kPair) * plan.tile;
    straight_tile = ceil_div(plan.tile, H::kPair) * round_up(plan.p.width, lanes);
    transposed = carver.template take<typename H::Word>(plan.tiles * transposed_tile);
    straight = carver.template take<typename H::Word>(plan.p.gradients ? plan.tiles * straight_tile : 0);
    bias = carver.template take<typename T::Real>(plan.tiles * plan.tile);
    bytes = carver.used();
  }
};

/// What one thread owns. Where words are single numbers, forms that would be copies of one another share memory.
template <typename T>
struct Scratch {
  using Real = typename T::Real;
  using Word = typename T::Word;
  using H = HeadTiles<T>;
  using HeadWord = typename H::Word;
  // sums over all images of the thread
  Real* weight_gradient;
  Real* bias_gradient;
  // of a group
  Real *mixed, *mixed_gradient;
  HeadWord* mixed_words;
  HeadWord* mixed_across;  ///< to be summed over rows: panels of a B or, for tile registers, rows of an A
  Word* attention;         ///< weights of all heads, word rows along the queries
  Real* statistics;
  // of a tile of the prediction
  Real *prediction, *target, *bias_part;
  HeadWord *error_words, *error_pairs;
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
    carver.template take<Word>(T::kRowsPast * most(plan.head_words, plan.score_words));
    carver.template take<HeadWord>(H::kRowsPast *
                                   most(plan.row_words, most(plan.width_words, plan.tile_words)));
    bytes = carver.used();
  }

 private:
  static constexpr bool kPaired = T::kPair > 1, kPairedHead = H::kPair > 1;

  void group(const Plan<T>& plan, Carver& carver) {
    const Reconstruction& p = plan.p;
    const Index rows = plan.rows(), gradients = p.gradients, head = p.attention_only ? 0 : 1;
    weight_gradient = carver.template take<Real>(gradients * head * plan.tiles * plan.gradient_tile);
    bias_gradient = carver.template take<Real>(gradients * plan.tiles * plan.tile);
    mixed = carver.template take<Real>(rows * plan.mixed_stride);
    mixed_gradient = carver.template take<Real>(gradients * rows * plan.mixed_stride);
    mixed_words = carver.template take<HeadWord>(kPairedHead * head * rows * plan.width_words);
    const Index wide = round_up(p.width, Plan<T>::lanes);
    mixed_across = carver.template take<HeadWord>(
        gradients * head * wide * (H::kTileRegisters ? plan.row_words : ceil_div(rows, H::kPair)));
    attention = carver.template take<Word>(plan.together * p.heads * ceil_div(plan.rows_per_image, T::kPair) *
                                           plan.score_stride);
    statistics = carver.template take<Real>(2 * head * rows);
    const Index strip = kPairedHead ? least(rows, kStripRows) : rows;
    prediction = carver.template take<Real>(strip * plan.tile_stride);
    target = carver.template take<Real>(2 * plan.tile_stride);
    bias_part = carver.template take<Real>(plan.tile_stride);
    error_words = carver.template take<HeadWord>(kPairedHead * gradients * strip * plan.tile_words);
    error_pairs =
        carver.template take<HeadWord>(kPairedHead * gradients * ceil_div(rows, 2) * plan.tile_stride);
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
  bool starts;  ///< it is a thread's first: the sum for the weights begins with it
  Index rows() const { return images * rows_per_image; }
};

}  // namespace
}  // namespace eh::kernels::engine
