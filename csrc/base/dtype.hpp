// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace eh {

// name, bytes, kind ('b' bool, 'u' unsigned, 'i' signed, 'f' real, 'c' complex)
#define EH_FORALL_DTYPES(_)       \
  _(Bool, bool, 1, 'b')           \
  _(UInt8, uint8, 1, 'u')         \
  _(UInt16, uint16, 2, 'u')       \
  _(UInt32, uint32, 4, 'u')       \
  _(UInt64, uint64, 8, 'u')       \
  _(Int8, int8, 1, 'i')           \
  _(Int16, int16, 2, 'i')         \
  _(Int32, int32, 4, 'i')         \
  _(Int64, int64, 8, 'i')         \
  _(Float16, float16, 2, 'f')     \
  _(BFloat16, bfloat16, 2, 'f')   \
  _(Float32, float32, 4, 'f')     \
  _(Float64, float64, 8, 'f')     \
  _(Complex64, complex64, 8, 'c') \
  _(Complex128, complex128, 16, 'c')

/// Element types the library moves and computes with.
enum class DType : std::uint8_t {
#define EH_ENUM(Name, name, bytes, kind) Name,
  EH_FORALL_DTYPES(EH_ENUM)
#undef EH_ENUM
};

/// Bytes of one element.
std::size_t size_of(DType dtype);
/// NumPy's name of the type ("float32"); bfloat16 has torch's.
std::string_view name_of(DType dtype);
/// 'b' bool, 'u' unsigned, 'i' signed integer, 'f' real, 'c' complex.
char kind_of(DType dtype);

inline bool is_complex(DType d) { return kind_of(d) == 'c'; }
inline bool is_floating(DType d) { return kind_of(d) == 'f'; }
inline bool is_inexact(DType d) { return is_complex(d) || is_floating(d); }

/// Result type of an operation between two arrays (Heat's table: docs/dtypes.md).
///
/// Within a kind the wider type wins; unsigned with signed takes the next wider signed type;
/// integers of up to 32 bits with a real type take the real type, 64-bit integers take float64.
DType promote(DType a, DType b);

}  // namespace eh
