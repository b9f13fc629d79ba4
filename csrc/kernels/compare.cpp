// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/compare.hpp"

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

template <Relation relation, typename T>
EH_INLINE bool holds(T a, T b) {
  if constexpr (relation == Relation::Less) return a < b;
  if constexpr (relation == Relation::LessEqual) return a <= b;
  if constexpr (relation == Relation::Greater) return a > b;
  if constexpr (relation == Relation::GreaterEqual) return a >= b;
  if constexpr (relation == Relation::Equal) return a == b;
  return a != b;
}

template <Relation relation, typename T>
struct Loop {
  static EH_INLINE void run(const T* __restrict__ a, const T* __restrict__ b, bool number, std::int64_t n,
                            std::uint8_t* __restrict__ out) {
    if (number) {
      const T value = *b;
      for (std::int64_t i = 0; i < n; ++i) out[i] = holds<relation>(a[i], value);
    } else {
      for (std::int64_t i = 0; i < n; ++i) out[i] = holds<relation>(a[i], b[i]);
    }
  }
};

template <typename T>
void compare_any(Relation relation, const T* a, const T* b, bool number, std::int64_t n, std::uint8_t* out) {
  switch (relation) {
    case Relation::Less:
      return dispatch<Loop<Relation::Less, T>>(a, b, number, n, out);
    case Relation::LessEqual:
      return dispatch<Loop<Relation::LessEqual, T>>(a, b, number, n, out);
    case Relation::Greater:
      return dispatch<Loop<Relation::Greater, T>>(a, b, number, n, out);
    case Relation::GreaterEqual:
      return dispatch<Loop<Relation::GreaterEqual, T>>(a, b, number, n, out);
    case Relation::Equal:
      return dispatch<Loop<Relation::Equal, T>>(a, b, number, n, out);
    case Relation::NotEqual:
      return dispatch<Loop<Relation::NotEqual, T>>(a, b, number, n, out);
  }
}

}  // namespace

#define EH_COMPARE(T)                                                                               \
  void compare(Relation relation, const T* a, const T* b, bool number, std::int64_t n, bool* out) { \
    compare_any(relation, a, b, number, n, reinterpret_cast<std::uint8_t*>(out));                   \
  }
EH_COMPARE(float)
EH_COMPARE(double)
EH_COMPARE(std::uint8_t)
EH_COMPARE(std::int8_t)
EH_COMPARE(std::int16_t)
EH_COMPARE(std::int32_t)
EH_COMPARE(std::int64_t)
#undef EH_COMPARE

}  // namespace eh::kernels
