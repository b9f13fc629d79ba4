// SPDX-License-Identifier: BSD-3-Clause
#include <charconv>
#include <cmath>
#include <type_traits>

#include "kernels/csv.hpp"

namespace eh::kernels {
namespace {

template <typename T>
void append(std::string& text, T value, int decimals) {
  char buffer[400];  // the longest fixed-point double has 309 digits before the point
  std::to_chars_result result{};
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) {
      text += "nan";
      return;
    }
    const int digits = decimals > 64 ? 64 : decimals;
    result = decimals < 0
                 ? std::to_chars(buffer, buffer + sizeof(buffer), value)
                 : std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed, digits);
  } else {
    result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  }
  text.append(buffer, result.ptr);
}

template <typename T>
std::string format(const T* x, std::int64_t rows, std::int64_t columns, std::string_view separator,
                   int decimals) {
  std::string text;
  text.reserve(static_cast<std::size_t>(rows * columns * 12));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      if (j > 0) text += separator;
      append(text, x[i * columns + j], decimals);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

#define EH_TABLE(T)                                                                                         \
  std::string format_table(const T* x, std::int64_t rows, std::int64_t columns, std::string_view separator, \
                           int decimals) {                                                                  \
    return format(x, rows, columns, separator, decimals);                                                   \
  }
EH_TABLE(float)
EH_TABLE(double)
EH_TABLE(std::int64_t)
EH_TABLE(std::uint64_t)
#undef EH_TABLE

}  // namespace eh::kernels
