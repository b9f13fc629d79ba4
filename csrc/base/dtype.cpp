// SPDX-License-Identifier: BSD-3-Clause
#include "base/dtype.hpp"

#include <algorithm>
#include <utility>

namespace eh {
namespace {

struct Info {
  std::string_view name;
  std::size_t bytes;
  char kind;
};

constexpr Info kInfo[] = {
#define EH_INFO(Name, name, bytes, kind) {#name, bytes, kind},
    EH_FORALL_DTYPES(EH_INFO)
#undef EH_INFO
};

const Info& info(DType d) { return kInfo[static_cast<std::size_t>(d)]; }

DType signed_of(std::size_t bytes) {
  return bytes == 1 ? DType::Int8 : bytes == 2 ? DType::Int16 : bytes == 4 ? DType::Int32 : DType::Int64;
}

DType promote_integers(DType a, DType b) {
  if (kind_of(a) == kind_of(b)) return size_of(a) >= size_of(b) ? a : b;
  const auto [u, i] = kind_of(a) == 'u' ? std::pair(a, b) : std::pair(b, a);
  if (size_of(i) > size_of(u)) return i;
  // No integer holds both uint64 and a signed type: NumPy's answer is float64.
  return size_of(u) == 8 ? DType::Float64 : signed_of(2 * size_of(u));
}

DType promote_reals(DType a, DType b) {
  if (size_of(a) == size_of(b) && a != b) return DType::Float32;  // float16 with bfloat16
  return size_of(a) >= size_of(b) ? a : b;
}

DType real_of(DType d) {
  return d == DType::Complex64 ? DType::Float32 : d == DType::Complex128 ? DType::Float64 : d;
}

/// The real type an integer needs to meet a real type in.
DType real_for_integer(DType integer, DType real) { return size_of(integer) == 8 ? DType::Float64 : real; }

}  // namespace

std::size_t size_of(DType dtype) { return info(dtype).bytes; }
std::string_view name_of(DType dtype) { return info(dtype).name; }
char kind_of(DType dtype) { return info(dtype).kind; }

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a == DType::Bool) return b;
  if (b == DType::Bool) return a;
  if (!is_inexact(a) && !is_inexact(b)) return promote_integers(a, b);
  DType ra = real_of(a);
  DType rb = real_of(b);
  if (!is_inexact(a)) ra = real_for_integer(a, rb);
  if (!is_inexact(b)) rb = real_for_integer(b, ra);
  const DType real = promote_reals(ra, rb);
  if (!is_complex(a) && !is_complex(b)) return real;
  return real == DType::Float64 ? DType::Complex128 : DType::Complex64;
}

}  // namespace eh
