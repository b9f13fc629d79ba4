// SPDX-License-Identifier: BSD-3-Clause
// Compiled with the instructions of its name; called only where the processor has them.
#define EH_VECTOR_BYTES 64
#include "kernels/dense_product_blocks.hpp"

namespace eh::kernels::engine {

extern const MultiplyDense multiply_avx512;
const MultiplyDense multiply_avx512 = multiply_dense;

}  // namespace eh::kernels::engine
