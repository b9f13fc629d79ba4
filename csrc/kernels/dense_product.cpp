// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/dense_product.hpp"

#include "kernels/dense_product_blocks.hpp"

namespace eh::kernels {
#if defined(__x86_64__)
namespace engine {
extern const MultiplyDense multiply_avx512;
}
#endif

std::size_t dense_product_scratch() {
  constexpr std::size_t kWidest = 8;  // doubles of a vector: reads of whole ones may pass the end
  return sizeof(double) * static_cast<std::size_t>((engine::kDepth + 1) * engine::kBlockColumns) +
         sizeof(double) * kWidest * static_cast<std::size_t>(engine::kDepth + engine::kBlockRows + 1);
}

MultiplyDense dense_product(std::string_view instructions) {
  if (instructions == "portable") return engine::multiply_dense;
#if defined(__x86_64__)
  const bool here = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                    __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (instructions == "avx512" && here) return engine::multiply_avx512;
#endif
  return nullptr;
}

}  // namespace eh::kernels
