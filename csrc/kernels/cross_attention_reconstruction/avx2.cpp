// SPDX-License-Identifier: BSD-3-Clause
// Compiled with the instructions of its name; called only where the processor has them.
#define EH_VECTOR_BYTES 32
#include "kernels/cross_attention_reconstruction/engine.hpp"
#include "kernels/cross_attention_reconstruction/engines.hpp"

namespace eh::kernels::engine {

const CpuEngine avx2_f32 = entry<RealTiles<float>>("avx2", Arithmetic::f32);
const CpuEngine avx2_f64 = entry<RealTiles<double>>("avx2", Arithmetic::f64);

}  // namespace eh::kernels::engine
