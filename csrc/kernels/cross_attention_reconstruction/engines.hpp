// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/cpu.hpp"

/// One engine per instruction set and arithmetic, each from a file of its own.
namespace eh::kernels::engine {

extern const CpuEngine portable_f32, portable_f64, emulated_bf16;
#if defined(__x86_64__) && defined(__GNUC__)
#define EH_X86_ENGINES 1
extern const CpuEngine avx2_f32, avx2_f64, avx512_f32, avx512_f64, avx512_bf16, amx_f32, amx_bf16;
#endif

}  // namespace eh::kernels::engine
