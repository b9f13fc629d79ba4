// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/gpu/attend.hpp"

/// Pixels to compare with: patches, or images cut into patches while they are read.
namespace eh::kernels::gpu {

/// An element's place is the sum of one that its token has and one that its place in the patch has.
struct PatchPlace {
  Index offset;
  float factor, shift;
};

EH_DEVICE Index token_place(const Target& t, Index image, int token) {
  if (!t.is_image) return image * t.image + token * t.row;
  const int columns = static_cast<int>(t.columns);
  return image * t.image + token / columns * t.patch_height * t.line +
         token % columns * t.patch_width * t.pixel;
}
EH_DEVICE PatchPlace patch_place(const Target& t, int e) {
  if (!t.is_image) return {e, 1, 0};
  const int channels = static_cast<int>(t.channels), width = static_cast<int>(t.patch_width);
  const int pixel = e / channels, c = e % channels;
  return {c * t.channel + pixel / width * t.line + pixel % width * t.pixel, static_cast<float>(t.factor[c]),
          static_cast<float>(t.offset[c])};
}
EH_DEVICE float target_at(const Target& t, Index token, const PatchPlace& place) {
  return number_at(t.data, t.element, token + place.offset) * place.factor + place.shift;
}

EH_DEVICE bool counts(const Reconstruction& p, Index image, int token) {
  return p.mask == nullptr || p.mask[image * p.queries + token] != 0;
}

/// Mean and 1 / standard deviation of a token's target, by a warp.
template <typename E>
EH_DEVICE void patch_statistics(const E& e, const Reconstruction& p, Index image, int token, float* out) {
  typename E::template Lanes<float> sum;
  const int pixels = static_cast<int>(p.pixels);
  const Index place = token_place(p.target, image, token);
  e.each_lane([&](int lane) {
    sum[lane] = 0;
    for (int i = lane; i < pixels; i += 32) sum[lane] += target_at(p.target, place, patch_place(p.target, i));
  });
  combine_lanes(e, sum);
  typename E::template Lanes<float> squares;
  e.each_lane([&](int lane) {
    const float mean = sum[lane] / static_cast<float>(pixels);
    squares[lane] = 0;
    for (int i = lane; i < pixels; i += 32) {
      const float x = target_at(p.target, place, patch_place(p.target, i)) - mean;
      squares[lane] += x * x;
    }
  });
  combine_lanes(e, squares);
  e.each_lane([&](int lane) {
    if (lane != 0) return;
    out[0] = sum[lane] / static_cast<float>(pixels);
    out[1] = 1 / e.root(squares[lane] / static_cast<float>(pixels - 1) + 1e-6f);
  });
}

}  // namespace eh::kernels::gpu
