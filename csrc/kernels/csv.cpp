// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/csv.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

namespace eh::kernels {
namespace {

using Kind = TableFault::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// True for digits, with or without a sign and a point before them.
bool begins_number(const char* p, const char* end) {
  if (p != end && (*p == '-' || *p == '+')) ++p;
  return p != end && (is_digit(*p) || *p == '.');
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// The power of ten of the first digit that counts is positive: what is out of a type's range is too large, not too
/// small. @pre the text is a number
bool is_large(std::string_view text) {
  const std::size_t mark = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, mark);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  double power = static_cast<double>(point) - static_cast<double>(std::min(first, mantissa.size()));
  if (mark != std::string_view::npos) {
    text.remove_prefix(mark + 1 + (text[mark + 1] == '+'));
    int exponent = 0;
    const bool fits = std::from_chars(text.data(), text.data() + text.size(), exponent).ec == std::errc();
    power += fits ? exponent : text.front() == '-' ? -1e9 : 1e9;
  }
  return power > 0;
}

constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// m / 10^digits, rounded once: both are exact (Clinger, How to Read Floating Point Numbers Accurately, 1990). False
/// where that cannot be.
bool rounded(std::uint64_t m, std::int64_t digits, double& value) {
  if (m > (std::uint64_t{1} << 53) || digits > 22) return false;
  value = static_cast<double>(m) / kPowers[digits];
  return true;
}

/// Rounding to double first changes nothing, unless it ends halfway between two floats.
bool rounded(std::uint64_t m, std::int64_t digits, float& value) {
  double wide = 0;
  if (!rounded(m, digits, wide)) return false;
  constexpr std::uint64_t below = (std::uint64_t{1} << 29) - 1;
  value = static_cast<float>(wide);
  return (std::bit_cast<std::uint64_t>(wide) & below) != std::uint64_t{1} << 28;
}

template <std::integral T>
bool rounded(std::uint64_t m, std::int64_t digits, T& value) {
  value = static_cast<T>(m);
  return digits == 0;
}

/// Behind a number of at most 18 digits without an exponent; nullptr where from_chars() is needed.
template <typename T>
const char* read_short(const char* p, const char* end, T& value) {
  const bool is_negative = *p == '-';
  p += is_negative;
  std::uint64_t m = 0;
  const char* first = p;
  for (; p != end && is_digit(*p); ++p) m = 10 * m + static_cast<std::uint64_t>(*p - '0');
  const char* behind_point = p + (p != end && *p == '.');
  const char* q = behind_point;
  for (; q != end && is_digit(*q); ++q) m = 10 * m + static_cast<std::uint64_t>(*q - '0');
  const std::int64_t count = (p - first) + (q - behind_point);
  if (count == 0 || count > 18 || (q != end && (*q == 'e' || *q == 'E'))) return nullptr;
  if (!rounded(m, q - behind_point, value)) return nullptr;
  if constexpr (std::is_signed_v<T>) {
    if (is_negative) value = -value;
  } else if (is_negative) {
    return nullptr;
  }
  return q;
}

template <typename T>
Kind read_real(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return Kind::Number;
  if (error == std::errc::result_out_of_range) {
    value = is_large(text) ? std::numeric_limits<T>::infinity() : T{};
    if (text.front() == '-') value = -value;
  }
  return Kind::None;
}

/// Whole numbers may have a point, or an exponent.
template <std::integral T>
Kind read_whole(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop == end && error == std::errc()) return Kind::None;
  double wide = 0;
  if (read_real(text, wide) != Kind::None || std::isnan(wide)) return Kind::Number;
  if (std::abs(wide) >= 0x1p53 || (std::is_unsigned_v<T> && wide < 0)) return Kind::Range;
  value = static_cast<T>(wide);
  return wide == std::floor(wide) ? Kind::None : Kind::Number;
}

template <typename T>
class TableParser {
 public:
  TableParser(std::string_view text, const Dialect& dialect, const TableColumns& columns)
      : cursor_(text, dialect), columns_(columns) {
    const auto is_number = [](const std::string& word) {
      return begins_number(word.data(), word.data() + word.size());
    };
    fast_ = cursor_.is_plain() && columns.converted.empty() &&
            std::none_of(columns.missing.begin(), columns.missing.end(), is_number);
    if (!columns.fill.empty()) can_fill_ = read(columns.fill, fill_) == Kind::None;
  }

  TableRows run(std::int64_t rows, std::int64_t skip, std::int64_t step, T* out) {
    TableRows done{0, 0, skip, {}};
    const char* p = cursor_.next_row(cursor_.begin());
    while (p != cursor_.end() && done.rows < rows) {
      const char* next = done.skip > 0 ? cursor_.behind_row(p) : row(p, out);
      if (next == nullptr) break;
      p = cursor_.next_row(next);
      if (done.skip-- > 0) continue;
      out += width_;
      ++done.rows;
      done.skip = step - 1;
    }
    done.consumed = p - cursor_.begin();
    done.fault = std::move(fault_);
    return done;
  }

 private:
  using Stop = RowCursor::Stop;

  /// Behind the row; nullptr where it is faulty or its end is not there.
  const char* row(const char* p, T* out) {
    const char* start = p;
    const auto fields = static_cast<std::int64_t>(columns_.place.size());
    Stop stop = Stop::Field;
    for (std::int64_t j = 0; j < fields; ++j) {
      if (stop != Stop::Field) return uneven(start);
      const std::int64_t place = columns_.place[static_cast<std::size_t>(j)];
      if (place < 0) {
        if (cursor_.take(p).open) return nullptr;
        stop = cursor_.pass(p);
      } else if (!(fast_ && quick(p, out[place], stop)) && !slow(p, j, out[place], stop)) {
        return nullptr;
      }
    }
    return stop == Stop::Field ? uneven(start) : p;
  }

  /// A number without quotation marks, by one look at its characters.
  bool quick(const char*& p, T& value, Stop& stop) {
    const char* q = cursor_.pass_blanks(p);
    if (!begins_number(q, cursor_.end())) return false;
    q += *q == '+';
    const char* end = short_ ? read_short(q, cursor_.end(), value) : nullptr;
    if (end == nullptr) {
      const auto [stopped, error] = std::from_chars(q, cursor_.end(), value);
      if (error != std::errc()) return false;
      end = stopped;
      short_ = end - q < 17;
    }
    q = end;
    stop = cursor_.pass(q);
    if (stop == Stop::None) return false;
    if constexpr (std::is_same_v<T, std::int64_t>)
      if (value < columns_.least || value > columns_.most) return false;
    p = q;
    return true;
  }

  bool slow(const char*& p, std::int64_t j, T& value, Stop& stop) {
    const char* start = p;
    const Field field = cursor_.take(p);
    if (field.open) return false;
    std::string changed;
    std::string_view text = trimmed(field.text);
    if (!columns_.converted.empty() && columns_.converted[static_cast<std::size_t>(j)]) {
      changed = columns_.convert(j, content(field));
      text = changed;
    }
    const Kind kind = read(text, value);
    if (kind != Kind::None) fault_ = {kind, start - cursor_.begin(), j, content(field)};
    stop = cursor_.pass(p);
    return kind == Kind::None;
  }

  Kind read(std::string_view text, T& value) const {
    if (text.empty() ||
        std::find(columns_.missing.begin(), columns_.missing.end(), text) != columns_.missing.end()) {
      if (can_fill_) value = fill_;
      return can_fill_ ? Kind::None : Kind::Missing;
    }
    if (text.front() == '+' && text.substr(1, 1).find_first_of("+-") != 0) text.remove_prefix(1);
    if constexpr (std::is_floating_point_v<T>) {
      return read_real(text, value);
    } else if constexpr (std::is_unsigned_v<T>) {
      return read_whole(text, value);
    } else {
      const Kind kind = read_whole(text, value);
      return kind == Kind::None && (value < columns_.least || value > columns_.most) ? Kind::Range : kind;
    }
  }

  const char* uneven(const char* start) {
    const char* p = start;
    std::int64_t count = 0;
    for (Stop stop = Stop::Field; stop == Stop::Field; ++count) {
      if (cursor_.take(p).open) return nullptr;
      stop = cursor_.pass(p);
    }
    fault_ = {Kind::Length, start - cursor_.begin(), count, std::string(trimmed({start, p}))};
    return nullptr;
  }

  RowCursor cursor_;
  const TableColumns& columns_;
  const std::int64_t width_ = columns_.width();
  bool fast_ = false, can_fill_ = false;
  bool short_ = true;  ///< the last number was one for read_short()
  T fill_{};
  TableFault fault_;
};

}  // namespace

std::int64_t TableColumns::width() const {
  return std::count_if(place.begin(), place.end(), [](std::int64_t p) { return p >= 0; });
}

#define EH_TABLE(T)                                                                                 \
  TableRows parse_table(std::string_view text, const Dialect& dialect, const TableColumns& columns, \
                        std::int64_t rows, std::int64_t skip, std::int64_t step, T* out) {          \
    return TableParser<T>(text, dialect, columns).run(rows, skip, step, out);                       \
  }
EH_TABLE(float)
EH_TABLE(double)
EH_TABLE(std::int64_t)
EH_TABLE(std::uint64_t)
#undef EH_TABLE

}  // namespace eh::kernels
