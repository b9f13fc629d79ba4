// SPDX-License-Identifier: BSD-3-Clause
// The GPU's programs on an emulation of blocks of threads: the same cutting, addresses and order of phases.
#include <doctest/doctest.h>

#include "gpu_emulation.hpp"
#include "kernels/cross_attention_reconstruction/gpu/program.hpp"
#include "kernels/cross_attention_reconstruction/reference.hpp"
#include "reconstruction_cases.hpp"

namespace {

using namespace eh::kernels;
using gpu::Emulation;
using gpu::Limits;
using gpu::Plan;
using Squares = Emulation::PerWarp<Emulation::Lanes<double>>;

/// A member of a team: a block with shared memory and registers of its own.
struct Member {
  Emulation block;
  Squares squares{};
};

/// One team, phase by phase: what comes between two phases all members have done.
template <typename M, int kChunk>
void run_team(const Reconstruction& p, const Plan& plan, int team, float* own, float* weights) {
  std::vector<Member> members;
  for (int m = 0; m < plan.members; ++m) members.push_back({Emulation(plan)});
  const auto work = [&](int m, Index image) {
    return gpu::Work<Emulation>{members[size(m)].block, p, plan, own, weights, image, m, image == team};
  };
  for (Index image = team; image < p.images; image += plan.teams)
    for (int phase = 0; phase < gpu::kPhases; ++phase)
      for (int m = plan.members - 1; m >= 0; --m)
        gpu::run_phase<M, kChunk>(work(m, image), phase, members[size(m)].squares);
  for (int m = 0; m < plan.members; ++m) gpu::write_loss(work(m, team), members[size(m)].squares);
}

template <typename M>
double run_grid(const Reconstruction& p, const Plan& plan, WeightGradients sums) {
  const std::size_t own = size(plan.team_numbers), weights = size(plan.weight_numbers);
  std::vector<gpu::Four> memory(size(plan.teams) * (own + weights) / 4 + 1, {{NAN, NAN, NAN, NAN}});
  float* base = memory[0].x;
  float* all_weights = base + size(plan.teams) * own;
  double loss = 0;
  for (int team = 0; team < plan.teams; ++team) {
    float* mine = base + size(team) * own;
    if (plan.chunk == 32) run_team<M, 32>(p, plan, team, mine, all_weights + size(team) * weights);
    if (plan.chunk == 64) run_team<M, 64>(p, plan, team, mine, all_weights + size(team) * weights);
    for (int m = 0; m < plan.members; ++m) loss += reinterpret_cast<const double*>(mine + plan.sums)[m];
  }
  const Index count = p.pixels * p.width;
  for (Index i = 0; !p.attention_only && i < count + p.pixels; ++i) {
    float* out = static_cast<float*>(i < count ? sums.weight : sums.bias);
    out[i < count ? i : i - count] =
        static_cast<float>(gpu::factor_of(p)) * gpu::sum_of_teams(all_weights, plan, i);
  }
  return loss;
}

template <typename M>
void check_gpu(const Options& o, const Limits& limits, double tolerance) {
  Inputs x(o, M::kElement);
  Outputs expected(o, Element::f64), found(o, M::kElement);
  Reconstruction p = problem_of(o, x, expected);
  expected.loss = reference_reconstruction(p, {expected.weight.data(), expected.bias.data()});
  p = problem_of(o, x, found);
  const std::int64_t counted = o.images * o.queries;
  if (o.mask) p.counted = &counted, p.factor = NAN;  // where only the GPU knows how many tokens count
  const Plan plan = gpu::make_plan<M>(p, limits);
  REQUIRE(plan.fits);
  CHECK(plan.shared_bytes <= limits.shared_bytes);
  found.loss = run_grid<M>(p, plan, {found.weight.data(), found.bias.data()});
  INFO("element ", static_cast<int>(M::kElement), " members ", plan.members, " warps ", plan.warps, " group ",
       plan.group, " tiles ", plan.query_tiles, " ", plan.key_tiles);
  check_outputs(o, found, expected, tolerance, M::kTensorCores ? 4e-3 : tolerance);
}

const Limits kSmall{163 << 10, 2, false}, kLarge{227 << 10, 60, true};

const std::vector<Options> kGpuCases = {
    {.images = 3, .queries = 64, .keys = 64, .heads = 3, .head = 32, .pixels = 192},
    {.images = 2, .queries = 49, .keys = 49, .heads = 2, .head = 64, .pixels = 200, .mask = true},
    {.images = 1, .queries = 196, .keys = 197, .heads = 1, .head = 64, .pixels = 100},
    {.images = 2,
     .queries = 20,
     .keys = 33,
     .heads = 2,
     .head = 17,
     .pixels = 31,
     .residual = false,
     .bias = false},
    {.images = 1, .queries = 40, .keys = 300, .heads = 1, .head = 128, .pixels = 20},
    {.images = 2,
     .queries = 36,
     .keys = 30,
     .heads = 4,
     .head = 24,
     .pixels = 402,
     .image = true,
     .normalize = true,
     .byte = true},
};

TEST_CASE("GPU reconstruction, emulated: float32 against the definition") {
  for (const Options& o : kGpuCases) {
    check_gpu<gpu::FloatWords>(o, kSmall, 2e-6);
    check_gpu<gpu::FloatWords>(o, kLarge, 2e-6);
  }
}

TEST_CASE("GPU reconstruction, emulated: tensor cores against the definition") {
  for (const Options& o : kGpuCases) {
    check_gpu<gpu::Bf16Words>(o, kLarge, 5e-3);
    check_gpu<gpu::Bf16Words>(o, kSmall, 5e-3);
    check_gpu<gpu::HalfWords>(o, kLarge, 1e-3);
  }
}

/// Attention alone, forwards and, from a given gradient, backwards.
template <typename M>
void check_attention(const Options& o, const Limits& limits, double tolerance) {
  Inputs x(o, M::kElement);
  Outputs expected(o, Element::f64), found(o, M::kElement);
  for (Outputs* y : {&expected, &found}) {
    Reconstruction p = problem_of(o, x, *y);
    p.attention_only = true;
    p.mixed_gradient = p.residual;
    p.mixed = p.residual_gradient;
    p.residual = {}, p.residual_gradient = {}, p.prediction = {};
    if (y == &expected) {
      reference_reconstruction(p, {});
    } else {
      const Plan plan = gpu::make_plan<M>(p, limits);
      REQUIRE(plan.fits);
      run_grid<M>(p, plan, {});
    }
  }
  const double output = M::kTensorCores ? 4e-3 : 0;
  CHECK(error(found.residual, expected.residual) <= tolerance + output);
  CHECK(error(found.value, expected.value) <= tolerance + output);
  CHECK(error(found.query, expected.query) <= tolerance + output);
  CHECK(error(found.key, expected.key) <= tolerance + output);
}

TEST_CASE("GPU reconstruction, emulated: attention alone") {
  for (const Options& o : {kGpuCases[0], kGpuCases[1], kGpuCases[4]}) {
    check_attention<gpu::FloatWords>(o, kLarge, 2e-6);
    check_attention<gpu::Bf16Words>(o, kSmall, 5e-3);
  }
}

TEST_CASE("GPU reconstruction, emulated: few tokens") {
  for (const Options& o : {Options{3, 1, 1, 1, 16, 3}, Options{2, 5, 3, 2, 4, 6}})
    check_gpu<gpu::FloatWords>(o, kLarge, 2e-6);
}

TEST_CASE("GPU reconstruction: half precision numbers on the host") {
  CHECK(gpu::to_half(1.0f) == 0x3C00);
  CHECK(gpu::to_half(65504.0f) == 0x7BFF);
  CHECK(gpu::to_half(65520.0f) == 0x7C00);
  CHECK(gpu::to_half(-0x1p-24f) == 0x8001);
  for (unsigned bits = 0; bits < 0x7C00; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    CHECK(gpu::to_half(gpu::from_half(half)) == half);
  }
}

TEST_CASE("GPU reconstruction: rows that are too long have no plan") {
  Reconstruction p;
  p.images = 1, p.queries = 16, p.keys = 16, p.width = 1 << 14, p.heads = 1 << 8, p.pixels = 48;
  CHECK_FALSE(gpu::make_plan<gpu::FloatWords>(p, kLarge).fits);
}

}  // namespace
