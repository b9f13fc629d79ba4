// SPDX-License-Identifier: BSD-3-Clause
// The engine with the instructions every processor of the architecture has.
#include "kernels/cross_attention_reconstruction/engine.hpp"
#include "kernels/cross_attention_reconstruction/engines.hpp"

namespace eh::kernels::engine {

const CpuEngine portable_f32 = entry<RealTiles<float>>("portable", Arithmetic::f32);
const CpuEngine emulated_bf16 = entry<EmulatedBf16Tiles>("emulated_bf16", Arithmetic::bf16);
const CpuEngine portable_f64 = entry<RealTiles<double>>("portable", Arithmetic::f64);

}  // namespace eh::kernels::engine
