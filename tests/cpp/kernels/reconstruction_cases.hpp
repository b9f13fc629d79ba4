// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "kernels/cross_attention_reconstruction/gpu/numbers.hpp"

/// Arguments of the fused reconstruction for tests of its kernels, and what to compare.
namespace {

using namespace eh::kernels;
using Index = std::int64_t;

struct Options {
  Index images, queries, keys, heads, head, pixels;
  bool residual = true, bias = true, mask = false, image = false, normalize = false, byte = false,
       bf16 = false;
};

std::size_t size(Index n) { return static_cast<std::size_t>(n); }

/// Numbers in a buffer of one element type, the same for every type up to rounding.
class Numbers {
 public:
  Numbers(Index count, Element element, unsigned seed) : element_(element), count_(count) {
    bytes_.resize(size(count) * 8 + 64);
    unsigned state = seed * 2654435761u + 12345;
    for (Index i = 0; i < count; ++i) {
      double x = 0;
      for (int k = 0; k < 4; ++k)
        x += static_cast<double>((state = state * 1664525u + 1013904223u) >> 8) / 8388608.0 - 1;
      set(i, element == Element::u8 ? std::floor(std::abs(x) * 60) : std::round(x * 256) / 256);
    }
  }
  void* data() { return bytes_.data(); }
  Element element() const { return element_; }
  Index count() const { return count_; }
  double get(Index i) const {
    if (element_ == Element::f64) return reinterpret_cast<const double*>(bytes_.data())[i];
    if (element_ == Element::f32)
      return static_cast<double>(reinterpret_cast<const float*>(bytes_.data())[i]);
    if (element_ == Element::u8) return bytes_[size(i)];
    return static_cast<double>(gpu::number_at(bytes_.data(), element_, i));
  }

 private:
  void set(Index i, double x) {
    if (element_ == Element::f64) reinterpret_cast<double*>(bytes_.data())[i] = x;
    if (element_ == Element::f32) reinterpret_cast<float*>(bytes_.data())[i] = static_cast<float>(x);
    if (element_ == Element::u8) bytes_[size(i)] = static_cast<unsigned char>(x);
    if (element_ == Element::bf16)
      reinterpret_cast<std::uint16_t*>(bytes_.data())[i] =
          static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> 16);
    if (element_ == Element::f16)
      reinterpret_cast<std::uint16_t*>(bytes_.data())[i] = gpu::to_half(static_cast<float>(x));
  }
  std::vector<unsigned char> bytes_;
  Element element_;
  Index count_;
};

struct Inputs {
  Inputs(const Options& o, Element e)
      : width(o.heads * o.head),
        query(o.images * o.queries * width, e, 1),
        key(o.images * o.keys * width, e, 2),
        value(o.images * o.keys * width, e, 3),
        residual(o.images * o.queries * width, e, 4),
        weight(o.pixels * width, e, 5),
        bias(o.pixels, e, 6),
        target(o.images * o.queries * o.pixels, o.byte ? Element::u8 : e, 7),
        mask(size(o.images * o.queries)) {
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 != 1;
  }
  Index width;
  Numbers query, key, value, residual, weight, bias, target;
  std::vector<std::uint8_t> mask;
};

struct Outputs {
  Outputs(const Options& o, Element e)
      : width(o.heads * o.head),
        query(o.images * o.queries * width, e, 0),
        key(o.images * o.keys * width, e, 0),
        value(o.images * o.keys * width, e, 0),
        residual(o.images * o.queries * width, e, 0),
        prediction(o.images * o.queries * o.pixels, e, 0),
        weight(o.pixels * width, e == Element::f64 ? e : Element::f32, 0),
        bias(o.pixels, e == Element::f64 ? e : Element::f32, 0) {}
  Index width;
  Numbers query, key, value, residual, prediction, weight, bias;
  double loss = 0;
};

constexpr double kFactor[] = {1.0 / 60, 1.0 / 64, 1.0 / 50}, kOffset[] = {-0.5, 0.25, 0.1};

Target target_of(const Options& o, Inputs& x) {
  Target t{x.target.data(), x.target.element(), false, o.queries * o.pixels, o.pixels};
  t.normalize_patches = o.normalize;
  if (!o.image) return t;
  t.is_image = true;
  t.channels = 3;
  t.patch_width = 2;
  t.patch_height = o.pixels / 6;
  t.columns = o.queries % 2 == 0 ? 2 : 1;
  t.pixel = 1;
  t.line = t.columns * t.patch_width;
  t.channel = t.line * t.patch_height * (o.queries / t.columns);
  t.factor = kFactor;
  t.offset = kOffset;
  return t;
}

Reconstruction problem_of(const Options& o, Inputs& x, Outputs& y) {
  Reconstruction p;
  p.images = o.images, p.queries = o.queries, p.keys = o.keys, p.width = x.width, p.heads = o.heads;
  p.pixels = o.pixels;
  p.scale = 1 / std::sqrt(static_cast<double>(o.head));
  const auto in = [&](Numbers& n, Index rows) {
    return Tokens{n.data(), n.element(), rows * x.width, x.width};
  };
  const auto out = [&](Numbers& n, Index rows, Index columns) {
    return TokensOut{n.data(), n.element(), rows * columns, columns};
  };
  p.query = in(x.query, o.queries), p.key = in(x.key, o.keys), p.value = in(x.value, o.keys);
  if (o.residual) p.residual = in(x.residual, o.queries);
  p.weight = in(x.weight, 0);
  if (o.bias) p.bias = in(x.bias, 0);
  p.target = target_of(o, x);
  if (o.mask) p.mask = x.mask.data();
  p.factor = 2.0 / static_cast<double>(o.images * o.queries * o.pixels);
  p.gradients = true;
  p.query_gradient = out(y.query, o.queries, x.width), p.key_gradient = out(y.key, o.keys, x.width);
  p.value_gradient = out(y.value, o.keys, x.width);
  p.residual_gradient = out(y.residual, o.queries, x.width);
  p.prediction = out(y.prediction, o.queries, o.pixels);
  return p;
}

/// |a - b| / |b|, over all entries.
double error(const Numbers& a, const Numbers& b) {
  double difference = 0, whole = 0;
  for (Index i = 0; i < b.count(); ++i) {
    const double d = a.get(i) - b.get(i);
    difference += std::isfinite(d) ? d * d : INFINITY;
    whole += b.get(i) * b.get(i);
  }
  return whole == 0 ? difference : std::sqrt(difference / whole);
}

/// @param output error that the outputs' type may add
void check_outputs(const Options& o, const Outputs& found, const Outputs& expected, double tolerance,
                   double output) {
  INFO(" images ", o.images, " queries ", o.queries, " keys ", o.keys, " heads ", o.heads, " x ", o.head,
       " pixels ", o.pixels);
  CHECK(std::abs(found.loss - expected.loss) <= tolerance * std::abs(expected.loss));
  CHECK(error(found.weight, expected.weight) <= tolerance);
  CHECK(error(found.bias, expected.bias) <= tolerance);
  CHECK(error(found.value, expected.value) <= output);
  CHECK(error(found.query, expected.query) <= output + tolerance);
  CHECK(error(found.key, expected.key) <= output + tolerance);
  CHECK(error(found.residual, expected.residual) <= output);
  CHECK(error(found.prediction, expected.prediction) <= output);
}

}  // namespace
