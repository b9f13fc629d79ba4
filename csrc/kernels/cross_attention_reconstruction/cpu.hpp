// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/cross_attention_reconstruction/problem.hpp"

/// The fused cross-attention reconstruction on processors. A call is:
///
///   prepare   packs the weights, once, in tiles that threads may share out;
///   images    does everything for a run of images, with memory of its own; threads share out the images;
///   finish    adds what the threads have summed for the weights, in the order of the threads: for one number of
///             threads the result is the same bits in every run.
namespace eh::kernels {

enum class Arithmetic : int { f32, bf16, f64, f16 };  ///< f16: on GPUs only

struct CpuSizes {
  std::size_t shared;     ///< bytes that prepare fills; aligned to 64, as those below
  std::size_t own;        ///< bytes of each thread
  std::int64_t tiles;     ///< of the weights
  std::int64_t together;  ///< images that are worked on together: runs are best multiples of it
};

struct CpuEngine {
  const char*
      instructions;  ///< "portable", "avx2", "avx512", "avx512_bf16", "amx_bf16"; for tests "emulated_bf16"
  Arithmetic arithmetic;
  CpuSizes (*sizes)(const Reconstruction&);
  void (*prepare)(const Reconstruction&, void* shared, std::int64_t first_tile, std::int64_t last_tile);
  /// @return sum of squared errors over images first, ..., last - 1
  double (*images)(const Reconstruction&, const void* shared, void* own, std::int64_t first,
                   std::int64_t last);
  /// Rows first, ..., last - 1 of the weight's gradient and entries of the bias's, in float or, for f64, double.
  void (*finish)(const Reconstruction&, void* const* own, std::int64_t threads, WeightGradients,
                 std::int64_t first_pixel, std::int64_t last_pixel);
};

/// The best engine this processor has for an arithmetic: bf16 needs amx_bf16 or avx512_bf16 and falls back to f32.
/// `instructions` (or, when empty, the variable EQUIHEAT_INSTRUCTIONS) names a set to use instead of a better one.
/// @return null when the name is unknown or this processor lacks the instructions
const CpuEngine* choose_engine(Arithmetic arithmetic, std::string_view instructions = {});

/// Names of the instruction sets this processor has, best last; null-terminated.
const char* const* instruction_sets();

}  // namespace eh::kernels
