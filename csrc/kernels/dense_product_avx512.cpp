// SPDX-License-Identifier: BSD-3-Clause
// Compiled with the instructions of its name; called only where the processor has them.
#define EH_VECTOR_BYTES 64
#include "kernels/dense_product_blocks.hpp"

namespace eh::kernels::engine {

extern const MultiplyDense<float> multiply_floats_avx512;
extern const MultiplyDense<double> multiply_doubles_avx512;
const MultiplyDense<float> multiply_floats_avx512 = multiply_dense<float>;
const MultiplyDense<double> multiply_doubles_avx512 = multiply_dense<double>;

}  // namespace eh::kernels::engine
