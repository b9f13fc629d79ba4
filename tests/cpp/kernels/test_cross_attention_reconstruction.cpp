// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/cross_attention_reconstruction/cpu.hpp"
#include "kernels/cross_attention_reconstruction/reference.hpp"

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
    return static_cast<double>(
        std::bit_cast<float>(std::uint32_t{reinterpret_cast<const std::uint16_t*>(bytes_.data())[i]} << 16));
  }

 private:
  void set(Index i, double x) {
    if (element_ == Element::f64) reinterpret_cast<double*>(bytes_.data())[i] = x;
    if (element_ == Element::f32) reinterpret_cast<float*>(bytes_.data())[i] = static_cast<float>(x);
    if (element_ == Element::u8) bytes_[size(i)] = static_cast<unsigned char>(x);
    if (element_ == Element::bf16)
      reinterpret_cast<std::uint16_t*>(bytes_.data())[i] =
          static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> 16);
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

/// Two runs of images with memory of their own each, as two threads would do.
double run(const CpuEngine& engine, const Reconstruction& p, WeightGradients sums) {
  const CpuSizes sizes = engine.sizes(p);
  std::vector<char> memory(sizes.shared + 2 * sizes.own + 256, char(0x7F));
  char* base = memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
  void* own[2] = {base + (sizes.shared + 63) / 64 * 64, base + (sizes.shared + 63) / 64 * 64 + sizes.own};
  engine.prepare(p, base, 0, sizes.tiles);
  const Index middle = p.images / 2;
  double loss = engine.images(p, base, own[0], 0, middle);
  loss += engine.images(p, base, own[1], middle, p.images);
  engine.finish(p, own, 2, sums, 0, p.pixels);
  return loss;
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

void check(const Options& o, const CpuEngine& engine, double tolerance) {
  const Element element = engine.arithmetic == Arithmetic::f64 ? Element::f64
                          : o.bf16                             ? Element::bf16
                                                               : Element::f32;
  Inputs x(o, element);
  Outputs expected(o, Element::f64), found(o, element);
  // The reference reads the same numbers and writes double.
  Reconstruction p = problem_of(o, x, expected);
  expected.loss = reference_reconstruction(p, {expected.weight.data(), expected.bias.data()});
  p = problem_of(o, x, found);
  found.loss = run(engine, p, {found.weight.data(), found.bias.data()});
  INFO(engine.instructions, " images ", o.images, " queries ", o.queries, " keys ", o.keys, " heads ",
       o.heads, " x ", o.head, " pixels ", o.pixels);
  const double output = o.bf16 ? 4e-3 : tolerance;
  CHECK(std::abs(found.loss - expected.loss) <= tolerance * std::abs(expected.loss));
  CHECK(error(found.weight, expected.weight) <= tolerance);
  CHECK(error(found.bias, expected.bias) <= tolerance);
  CHECK(error(found.value, expected.value) <= output);
  CHECK(error(found.query, expected.query) <= output + tolerance);
  CHECK(error(found.key, expected.key) <= output + tolerance);
  CHECK(error(found.residual, expected.residual) <= output);
  CHECK(error(found.prediction, expected.prediction) <= output);
}

const std::vector<Options> kCases = {
    {3, 64, 64, 3, 32, 48},
    {2, 49, 49, 2, 64, 192},
    {2, 196, 197, 1, 64, 100},
    {3, 1, 1, 1, 16, 3},
    {2, 5, 3, 2, 4, 6},
    {3, 7, 20, 3, 17, 31},
    {1, 33, 70, 2, 24, 401},
    {1, 300, 9, 4, 128, 20},
    {.images = 4,
     .queries = 16,
     .keys = 12,
     .heads = 2,
     .head = 16,
     .pixels = 24,
     .residual = false,
     .bias = false},
    {.images = 2, .queries = 9, .keys = 16, .heads = 2, .head = 16, .pixels = 30, .mask = true},
    {.images = 2, .queries = 16, .keys = 16, .heads = 2, .head = 16, .pixels = 24, .image = true},
    {.images = 2,
     .queries = 16,
     .keys = 16,
     .heads = 2,
     .head = 16,
     .pixels = 402,
     .image = true,
     .normalize = true,
     .byte = true},
    {.images = 2,
     .queries = 9,
     .keys = 16,
     .heads = 2,
     .head = 16,
     .pixels = 210,
     .mask = true,
     .normalize = true},
    {.images = 3, .queries = 20, .keys = 20, .heads = 2, .head = 32, .pixels = 48, .bf16 = true},
    {0, 4, 4, 2, 16, 12},
    {1, 700, 700, 8, 16, 12},
};

TEST_CASE("cross-attention reconstruction: every engine against the definition") {
  for (const char* const* set = instruction_sets(); *set != nullptr; ++set)
    for (const Options& o : kCases) {
      check(o, *choose_engine(Arithmetic::f32, *set), 2e-6);
      const CpuEngine& tiles = *choose_engine(Arithmetic::bf16, *set);
      const double rounding =
          o.images * o.queries < 32 ? 8e-3 : 5e-3;  // few terms: errors do not average out
      check(o, tiles, tiles.arithmetic == Arithmetic::bf16 ? rounding : 2e-6);
      if (!o.bf16) check(o, *choose_engine(Arithmetic::f64, *set), 1e-13);
    }
}

TEST_CASE(
    "cross-attention reconstruction: the same bits in every run, and nothing but the loss without "
    "gradients") {
  Options o{5, 20, 20, 2, 32, 48};
  Inputs x(o, Element::f32);
  Outputs first(o, Element::f32), second(o, Element::f32);
  const CpuEngine& engine = *choose_engine(Arithmetic::f32);
  first.loss = run(engine, problem_of(o, x, first), {first.weight.data(), first.bias.data()});
  second.loss = run(engine, problem_of(o, x, second), {second.weight.data(), second.bias.data()});
  CHECK(first.loss == second.loss);
  CHECK(error(first.weight, second.weight) == 0);
  Reconstruction p = problem_of(o, x, second);
  p.gradients = false;
  CHECK(run(engine, p, {}) == first.loss);
}

TEST_CASE("cross-attention reconstruction: names of instruction sets") {
  CHECK(choose_engine(Arithmetic::f32, "mmx") == nullptr);
  CHECK(std::string(choose_engine(Arithmetic::f64, "portable")->instructions) == "portable");
}

}  // namespace
