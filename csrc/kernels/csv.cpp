// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/csv.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

namespace eh::kernels {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view field) {
  while (!field.empty() && is_blank(field.front())) field.remove_prefix(1);
  while (!field.empty() && is_blank(field.back())) field.remove_suffix(1);
  return field;
}

/// Calls visit(line) for every line that is not blank, until it returns false.
template <typename Visit>
void for_lines(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!trimmed(line).empty() && !visit(line)) return;
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// The next field, taken off the line; `more` tells whether another one follows.
std::string_view next_field(std::string_view& line, std::string_view separator, bool& more) {
  std::size_t from = 0;
  while (from < line.size() && is_blank(line[from]) && !line.substr(from).starts_with(separator)) ++from;
  if (from < line.size() && line[from] == '"') {
    const std::size_t close = line.find('"', from + 1);
    from = close == std::string_view::npos ? line.size() : close + 1;
  }
  const std::size_t end = line.find(separator, from);
  more = end != std::string_view::npos;
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(more ? end + separator.size() : line.size());
  return field;
}

std::int64_t count_fields(std::string_view line, std::string_view separator) {
  std::int64_t count = 0;
  for (bool more = true; more; ++count) next_field(line, separator, more);
  return count;
}

std::string_view unquoted(std::string_view field) {
  field = trimmed(field);
  const bool quoted = field.size() >= 2 && field.front() == '"' && field.back() == '"';
  field = quoted ? trimmed(field.substr(1, field.size() - 2)) : field;
  if (!field.empty() && field.front() == '+') field.remove_prefix(1);
  return field;
}

template <typename T>
bool parsed(std::string_view field, T& value) {
  field = unquoted(field);
  if (field.empty()) {
    if constexpr (!std::is_floating_point_v<T>) return false;
    value = std::numeric_limits<T>::has_quiet_NaN ? std::numeric_limits<T>::quiet_NaN() : T{};
    return true;
  }
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  if (stop == end && error == std::errc()) return true;
  // Too large or too small for the type: what strtod makes of it. "3.0" among integers.
  double wide = 0;
  const auto [last, fault] = std::from_chars(field.data(), end, wide);
  if (last != end) return false;
  if constexpr (std::is_floating_point_v<T>) {
    if (fault == std::errc::result_out_of_range) wide = std::strtod(std::string(field).c_str(), nullptr);
    value = static_cast<T>(wide);
    return true;
  } else {
    const bool whole = fault == std::errc() && wide == std::floor(wide) && std::abs(wide) < 0x1p53;
    if (whole) value = static_cast<T>(wide);
    return whole;
  }
}

template <typename T>
TableFault parse(std::string_view text, std::string_view separator, std::int64_t columns, T* out) {
  TableFault fault;
  const char* start = text.data();
  for_lines(text, [&](std::string_view line) {
    const std::int64_t at = line.data() - start;
    bool more = true;
    for (std::int64_t j = 0; j < columns; ++j) {
      if (!more) {
        fault = {at, true};
        return false;
      }
      const char* field_at = line.data();
      if (!parsed(next_field(line, separator, more), *out++)) {
        fault = {field_at - start, false};
        return false;
      }
    }
    if (more) fault = {at, true};
    return !more;
  });
  return fault;
}

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

TableShape table_shape(std::string_view text, std::string_view separator) {
  TableShape shape;
  for_lines(text, [&](std::string_view line) {
    if (shape.rows++ == 0) shape.columns = count_fields(line, separator);
    return true;
  });
  return shape;
}

#define EH_TABLE(T)                                                                                         \
  TableFault parse_table(std::string_view text, std::string_view separator, std::int64_t columns, T* out) { \
    return parse(text, separator, columns, out);                                                            \
  }                                                                                                         \
  std::string format_table(const T* x, std::int64_t rows, std::int64_t columns, std::string_view separator, \
                           int decimals) {                                                                  \
    return format(x, rows, columns, separator, decimals);                                                   \
  }
EH_TABLE(float)
EH_TABLE(double)
EH_TABLE(std::int64_t)
#undef EH_TABLE

}  // namespace eh::kernels
