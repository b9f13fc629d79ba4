// SPDX-License-Identifier: BSD-3-Clause
// Compiled with the instructions of its name; called only where the processor has them.
#define EH_VECTOR_BYTES 64
#include "kernels/cross_attention_reconstruction/engine.hpp"
#include "kernels/cross_attention_reconstruction/engines.hpp"

namespace eh::kernels::engine {

const CpuEngine avx512_f32 = entry<RealTiles<float>>("avx512", Arithmetic::f32);
const CpuEngine avx512_f64 = entry<RealTiles<double>>("avx512", Arithmetic::f64);

}  // namespace eh::kernels::engine
