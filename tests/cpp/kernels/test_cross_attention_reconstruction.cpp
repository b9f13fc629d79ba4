// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "kernels/cross_attention_reconstruction/cpu.hpp"
#include "kernels/cross_attention_reconstruction/reference.hpp"
#include "reconstruction_cases.hpp"

namespace {

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
  check_outputs(o, found, expected, tolerance, o.bf16 ? 4e-3 : tolerance);
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
    {2, 257, 5, 2, 17, 209},
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
  for (const char* const* set = instruction_sets(); *set != nullptr; ++set)
    for (const Arithmetic arithmetic : {Arithmetic::f32, Arithmetic::bf16}) {
      Outputs first(o, Element::f32), second(o, Element::f32);
      const CpuEngine& engine = *choose_engine(arithmetic, *set);
      INFO(engine.instructions);
      first.loss = run(engine, problem_of(o, x, first), {first.weight.data(), first.bias.data()});
      second.loss = run(engine, problem_of(o, x, second), {second.weight.data(), second.bias.data()});
      CHECK(first.loss == second.loss);
      CHECK(error(first.weight, second.weight) == 0);
      Reconstruction p = problem_of(o, x, second);
      p.gradients = false;
      CHECK(run(engine, p, {}) == first.loss);
    }
}

TEST_CASE("cross-attention reconstruction: names of instruction sets") {
  CHECK(choose_engine(Arithmetic::f32, "mmx") == nullptr);
  CHECK(std::string(choose_engine(Arithmetic::f64, "portable")->instructions) == "portable");
}

}  // namespace
