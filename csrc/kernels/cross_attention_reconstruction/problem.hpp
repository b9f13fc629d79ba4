// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

/// What the fused cross-attention reconstruction computes, as raw pointers, sizes and strides.
///
///   mixed      = concat_h softmax(scale Q_h K_h^T) V_h + residual          (queries x width)
///   prediction = mixed weight^T + bias                                     (queries x pixels)
///   loss       = sum over counted tokens of |prediction - target|^2, divided by their number and by pixels
///
/// and all gradients of the loss. docs/fused_reconstruction.md derives them.
namespace eh::kernels {

enum class Element : int { f32, f64, bf16, u8, f16 };

/// (images, tokens, features), features adjacent, strides in elements. No data: the operand is absent.
struct Tokens {
  const void* data = nullptr;
  Element element = Element::f32;
  std::int64_t image = 0;
  std::int64_t row = 0;
};

struct TokensOut {
  void* data = nullptr;
  Element element = Element::f32;
  std::int64_t image = 0;
  std::int64_t row = 0;
};

/// Pixels to compare with: patches (images, queries, pixels), or images (images, channels, height, width) that are
/// cut into a grid of patches while they are read, channels last in a patch. Element u8 counts as 1/255 of 1.
struct Target {
  const void* data = nullptr;
  Element element = Element::f32;
  bool is_image = false;
  std::int64_t image = 0;    ///< strides in elements
  std::int64_t row = 0;      ///< of patches
  std::int64_t channel = 0;  ///< of images, as the next two
  std::int64_t line = 0;
  std::int64_t pixel = 0;
  std::int64_t columns = 1;  ///< of the grid
  std::int64_t patch_height = 1;
  std::int64_t patch_width = 1;
  std::int64_t channels = 1;
  const double* factor = nullptr;  ///< per channel: value = element * factor + offset; images only
  const double* offset = nullptr;  ///<
  bool normalize_patches = false;  ///< afterwards to mean 0 and (unbiased) variance 1 per patch, epsilon 1e-6
};

struct Reconstruction {
  std::int64_t images = 0;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::int64_t width = 0;
  std::int64_t heads = 1;
  std::int64_t pixels = 0;
  double scale = 1;
  Tokens query, key, value, residual;
  Tokens weight;  ///< (pixels, width) in `row`; `image` unused
  Tokens bias;    ///< (pixels)
  Target target;
  const std::uint8_t* mask = nullptr;  ///< (images, queries), dense: 1 for tokens that count; null: all
  double factor = 0;                   ///< 2 / (counted tokens * pixels), the gradient's
  /// On a GPU, with a mask: the number of counted tokens, which only the GPU knows yet. `factor` is then unused.
  const std::int64_t* counted = nullptr;
  bool gradients = false;
  /// Attention alone: forward writes `mixed`; with `gradients` it reads `mixed_gradient` instead of comparing pixels.
  bool attention_only = false;
  Tokens mixed_gradient;
  TokensOut mixed;
  TokensOut prediction;
  TokensOut query_gradient, key_gradient, value_gradient, residual_gradient;
};

/// Sums over images that threads add to, dense: weight's gradient (pixels, width) and bias's (pixels).
struct WeightGradients {
  void* weight = nullptr;
  void* bias = nullptr;
};

}  // namespace eh::kernels
