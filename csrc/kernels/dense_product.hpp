// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Products of float32 and float64 matrices with AVX-512. The BLAS libraries that come with torch and NumPy use half its
/// width on processors of AMD; the register blocks of the fused reconstruction (cross_attention_reconstruction/gemm.hpp)
/// do not.
namespace eh::kernels {

/// A matrix in memory: element (i, j) lies at data[i * row + j * column]. One of the two steps is 1.
template <typename T>
struct DenseMatrix {
  const T* data;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t row;
  std::int64_t column;
};

/// How a product goes into c.
enum class Into : std::uint8_t { Write, Add, Subtract };

/// Rows [first, last) of c = a b (or += or -=); rows of c are contiguous and `c_row` apart. `scratch` is aligned to 64.
template <typename T>
using MultiplyDense = void (*)(const DenseMatrix<T>& a, const DenseMatrix<T>& b, std::int64_t first,
                               std::int64_t last, T* c, std::int64_t c_row, Into into, void* scratch);

/// Bytes of scratch that a call needs; threads have their own.
std::size_t dense_product_scratch();

/// The function of an instruction set, "portable" or "avx512"; null where the processor has not got it. T: float, double.
template <typename T>
MultiplyDense<T> dense_product(std::string_view instructions);

}  // namespace eh::kernels
