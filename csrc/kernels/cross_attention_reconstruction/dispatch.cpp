// SPDX-License-Identifier: BSD-3-Clause
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdlib>

#include "kernels/cross_attention_reconstruction/engines.hpp"

namespace eh::kernels {
namespace {

struct InstructionSet {
  const char* name;
  bool here;
  const CpuEngine *f32, *f64, *bf16;
  bool by_name_only = false;
};

constexpr int kSets = 6;

#ifdef EH_X86_ENGINES
/// Whether this processor has AMX for bfloat16 and Linux lets the process use its registers, which it must be asked.
bool has_tile_registers() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr int request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("amx-bf16") != 0 &&
         syscall(SYS_arch_prctl, request, tile_data) == 0;
#else
  return false;
#endif
}
#endif

/// Best last.
const InstructionSet* sets() {
  using namespace engine;
#ifdef EH_X86_ENGINES
  static const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  static const bool avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  static const InstructionSet table[kSets] = {
      {"portable", true, &portable_f32, &portable_f64, nullptr},
      {"emulated_bf16", true, &portable_f32, &portable_f64, &emulated_bf16, true},
      {"avx2", avx2, &avx2_f32, &avx2_f64, nullptr},
      {"avx512", avx512, &avx512_f32, &avx512_f64, nullptr},
      {"avx512_bf16", avx512 && __builtin_cpu_supports("avx512bf16") != 0, &avx512_f32, &avx512_f64,
       &engine::avx512_bf16},
      {"amx_bf16", avx512 && has_tile_registers(), &amx_f32, &avx512_f64, &engine::amx_bf16},
  };
#else
  static const InstructionSet table[kSets] = {
      {"portable", true, &portable_f32, &portable_f64, nullptr},
      {"emulated_bf16", true, &portable_f32, &portable_f64, &emulated_bf16, true}};
#endif
  return table;
}

const InstructionSet* choose_set(std::string_view name) {
  const InstructionSet* best = nullptr;
  for (int i = 0; i < kSets; ++i) {
    const InstructionSet& set = sets()[i];
    if (set.name == nullptr || !set.here) continue;
    if (set.name == name) return &set;
    if (!set.by_name_only) best = &set;
  }
  return name.empty() ? best : nullptr;
}

}  // namespace

const CpuEngine* choose_engine(Arithmetic arithmetic, std::string_view instructions) {
  if (instructions.empty()) {
    const char* variable = std::getenv("EQUIHEAT_INSTRUCTIONS");
    if (variable != nullptr) instructions = variable;
  }
  const InstructionSet* set = choose_set(instructions);
  if (set == nullptr) return nullptr;
  if (arithmetic == Arithmetic::f64) return set->f64;
  return arithmetic == Arithmetic::bf16 && set->bf16 != nullptr ? set->bf16 : set->f32;
}

const char* const* instruction_sets() {
  static const char* names[kSets + 1] = {};
  int count = 0;
  for (int i = 0; i < kSets; ++i)
    if (sets()[i].name != nullptr && sets()[i].here) names[count++] = sets()[i].name;
  names[count] = nullptr;
  return names;
}

}  // namespace eh::kernels
