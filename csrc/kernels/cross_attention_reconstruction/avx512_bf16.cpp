// SPDX-License-Identifier: BSD-3-Clause
// Compiled with the instructions of its name; called only where the processor has them.
#define EH_VECTOR_BYTES 64
#include "kernels/cross_attention_reconstruction/engine.hpp"
#include "kernels/cross_attention_reconstruction/engines.hpp"

namespace eh::kernels::engine {

const CpuEngine avx512_bf16 = entry<Bf16Tiles>("avx512_bf16", Arithmetic::bf16);

}  // namespace eh::kernels::engine
