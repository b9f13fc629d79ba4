// SPDX-License-Identifier: BSD-3-Clause
// Compiled for AVX-512 with bfloat16; called only where the processor has these instructions and AMX.
#define EH_VECTOR_BYTES 64
#include "kernels/cross_attention_reconstruction/tile_product.hpp"
// The products above are what the engine below is made of.
#include "kernels/cross_attention_reconstruction/engine.hpp"
#include "kernels/cross_attention_reconstruction/engines.hpp"

namespace eh::kernels::engine {

namespace {

/// Attention in vector registers, whose matrices are too small for the effort of splitting them; the head in tiles.
struct SplitHead : RealTiles<float> {};
template <>
struct HeadOf<SplitHead> {
  using Tiles = Amx<SplitTiles>;
};

}  // namespace

const CpuEngine amx_bf16 = entry<Amx<Bf16Tiles>>("amx_bf16", Arithmetic::bf16);
const CpuEngine amx_f32 = entry<SplitHead>("amx_bf16", Arithmetic::f32);

}  // namespace eh::kernels::engine
