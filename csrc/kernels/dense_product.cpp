// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/dense_product.hpp"

#include "kernels/dense_product_blocks.hpp"

namespace eh::kernels {
#if defined(__x86_64__)
namespace engine {
extern const MultiplyDense<float> multiply_floats_avx512;
extern const MultiplyDense<double> multiply_doubles_avx512;
}  // namespace engine
#endif

std::size_t dense_product_scratch() {
  constexpr std::size_t kWidest = 64;  // bytes of a vector: reads of whole ones may pass the end
  return sizeof(double) * static_cast<std::size_t>((engine::kDepth + 1) * engine::kBlockColumns) +
         kWidest * static_cast<std::size_t>(engine::kDepth + engine::kBlockRows + 1);
}

template <typename T>
MultiplyDense<T> dense_product(std::string_view instructions) {
  if (instructions == "portable") return engine::multiply_dense<T>;
#if defined(__x86_64__)
  const bool here = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                    __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (instructions != "avx512" || !here) return nullptr;
  if constexpr (sizeof(T) == sizeof(float)) return engine::multiply_floats_avx512;
  if constexpr (sizeof(T) == sizeof(double)) return engine::multiply_doubles_avx512;
#endif
  return nullptr;
}

template MultiplyDense<float> dense_product(std::string_view);
template MultiplyDense<double> dense_product(std::string_view);

}  // namespace eh::kernels
