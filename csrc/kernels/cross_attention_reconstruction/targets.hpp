// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/packing.hpp"

/// Reading pixels to compare with, from patches or straight from images.
namespace eh::kernels::engine {
namespace {

/// Calls f(pointer to the target's elements).
template <typename Real, typename F>
EH_FORCE void with_target(const Target& t, Index offset, const F& f) {
  if (t.element == Element::u8) return f(static_cast<const std::uint8_t*>(t.data) + offset);
  with_element<Real>(t.data, t.element, offset, f);
}

template <typename Real, typename Source>
EH_FORCE Real number(const Source* p) {
  if constexpr (std::is_same_v<Source, Bf16>) {
    return std::bit_cast<float>(std::uint32_t{p->bits} << 16);
  } else {
    return static_cast<Real>(*p);
  }
}

/// Pixels `first`, ..., `first + count` of a line of a patch, all channels of each; channels one after the other in
/// the image, side by side in the patch.
template <typename Real, typename Source>
EH_FORCE void read_line(const Target& t, const Source* line, Index count, Real* out) {
  for (Index c = 0; c < t.channels; ++c) {
    const Source* from = line + c * t.channel;
    const Real factor = static_cast<Real>(t.factor[c]), offset = static_cast<Real>(t.offset[c]);
    for (Index x = 0; x < count; ++x)
      out[x * t.channels + c] = number<Real>(from + x * t.pixel) * factor + offset;
  }
}

/// Elements first, ..., first + count - 1 of a token of an image. @pre both are multiples of the channels
template <typename Real, typename Source>
void read_cells(const Target& t, const Source* image, Index token, Index first, Index count, Real* out) {
  const Source* corner =
      image + token / t.columns * t.patch_height * t.line + token % t.columns * t.patch_width * t.pixel;
  Index pixel = first / t.channels;
  for (const Index end = (first + count) / t.channels; pixel < end;) {
    const Index y = pixel / t.patch_width, x = pixel % t.patch_width;
    const Index run = least(t.patch_width - x, end - pixel);
    read_line(t, corner + y * t.line + x * t.pixel, run, out);
    out += run * t.channels;
    pixel += run;
  }
}

/// The same for bounds inside of a pixel: a pixel is read whole, what lies outside is dropped.
template <typename Real, typename Source>
void read_ragged(const Target& t, const Source* image, Index token, Index first, Index count, Real* out) {
  for (Index e = first; e < first + count; ++e) {
    const Index c = e % t.channels, y = e / t.channels / t.patch_width, x = e / t.channels % t.patch_width;
    const Source* at = image + (token / t.columns * t.patch_height + y) * t.line +
                       (token % t.columns * t.patch_width + x) * t.pixel + c * t.channel;
    out[e - first] = number<Real>(at) * static_cast<Real>(t.factor[c]) + static_cast<Real>(t.offset[c]);
  }
}

/// Elements first, ..., first + count - 1 of a token; zeros behind them up to a whole vector.
template <typename Real>
void read_target(const Target& t, Index image, Index token, Index first, Index count, Real* out) {
  store(out + count / kLanes<Real> * kLanes<Real>, Vector<Real>{});
  if (!t.is_image) {
    with_element<Real>(t.data, t.element, image * t.image + token * t.row + first,
                       [&](auto* data) { copy_rows(Rows{data, 0, 1, count}, out, 0); });
    return;
  }
  const bool whole = first % t.channels == 0 && count % t.channels == 0;
  with_target<Real>(t, image * t.image, [&](auto* data) {
    if (whole) return read_cells(t, data, token, first, count, out);
    read_ragged(t, data, token, first, count, out);
  });
}

/// Mean and 1 / standard deviation of each patch: what normalised patches need before their first pixel is compared.
template <typename Real>
void patch_statistics(const Target& t, Index image, Index token, Index pixels, Index tile, Real* buffer,
                      Real* out) {
  constexpr Index lanes = kLanes<Real>;
  Vector<Real> sum{};
  for (Index e = 0; e < pixels; e += tile) {
    const Index count = least(tile, pixels - e);
    read_target(t, image, token, e, count, buffer);
    for (Index j = 0; j < count; j += lanes) sum += load(buffer + j);
  }
  const Real mean = sum_of<Real>(sum) / static_cast<Real>(pixels);
  Vector<Real> squares{};
  for (Index e = 0; e < pixels; e += tile) {
    const Index count = least(tile, pixels - e);
    read_target(t, image, token, e, count, buffer);
    for (Index j = 0; j < count; j += lanes) {
      const Vector<Real> x = first_lanes<Real>(load(buffer + j) - mean, Vector<Real>{}, count - j);
      squares += x * x;
    }
  }
  const Real variance = sum_of<Real>(squares) / static_cast<Real>(pixels - 1);
  out[0] = mean;
  out[1] = 1 / static_cast<Real>(__builtin_sqrt(static_cast<double>(variance) + 1e-6));
}

}  // namespace
}  // namespace eh::kernels::engine
