// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// Rows and fields of delimited text. A field that begins with a quotation mark (blanks may stand before it) is quoted:
/// separators, comments and line breaks in it belong to it, and so does a doubled quotation mark; quotation marks
/// elsewhere are ordinary characters. Lines of nothing but blanks or a comment are no rows.
namespace eh::kernels {

struct Dialect {
  std::string separator;  ///< empty: any run of blanks
  std::string comment;    ///< what it and the rest of a line are is passed over; empty: nothing is
};

struct Field {
  std::string_view text;  ///< between the quotation marks; where there are none, without the blanks around it
  bool quoted = false;    ///< from the first to the last character
  bool open = false;      ///< the closing quotation mark is missing
};

/// Walks through a text.
class RowCursor {
 public:
  enum class Stop { Field, Row, None };

  RowCursor(std::string_view text, const Dialect& dialect);

  const char* begin() const { return begin_; }
  const char* end() const { return end_; }
  /// Separators or comments cannot be mistaken for a part of a number.
  bool is_plain() const { return plain_; }

  /// Passes over blanks and the separator, or over the rest of the line behind the last field; None where there is
  /// something else, before which p is left then.
  Stop pass(const char*& p) const {
    const char* from = p;
    for (; p != end_; ++p) {
      if (separates(p)) {
        p += separator_.size();
        return Stop::Field;
      }
      if (*p == '\n') {
        ++p;
        return Stop::Row;
      }
      if (comments(p)) {
        p = next_line(p);
        return Stop::Row;
      }
      if (!is_blank(*p)) return by_blanks_ && p != from ? Stop::Field : Stop::None;
    }
    return Stop::Row;
  }

  /// The first blanks of a field.
  const char* pass_blanks(const char* p) const {
    while (p != end_ && is_blank(*p) && !separates(p)) ++p;
    return p;
  }

  /// Takes a field, but for what pass() passes over.
  Field take(const char*& p) const;
  /// Where the next row begins; the end if there is none.
  const char* next_row(const char* p) const;
  /// Where the line behind a row begins; nullptr for a row whose last field is open.
  const char* behind_row(const char* p);
  /// The same behind a quoted field's text.
  const char* behind_quoted(const char* p) const;

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
  bool separates(const char* p) const { return *p == first_of_separator_ && matches(p, separator_); }
  bool comments(const char* p) const { return *p == first_of_comment_ && matches(p, comment_); }
  bool matches(const char* p, std::string_view word) const {
    return word.size() == 1 || (!word.empty() && std::string_view(p, end_).starts_with(word));
  }
  const char* next_line(const char* p) const {
    const void* found = std::memchr(p, '\n', static_cast<std::size_t>(end_ - p));
    return found == nullptr ? end_ : static_cast<const char*>(found) + 1;
  }
  const char* behind_fields(const char* p) const;
  const char* closing(const char* p) const;

  std::string_view separator_, comment_;
  const char* begin_;
  const char* end_;
  const char* quote_;  ///< the first quotation mark from where rows were passed over
  char first_of_separator_, first_of_comment_;
  bool by_blanks_, plain_;
};

/// What is in a part of a file that begins and ends with lines.
struct RowScan {
  std::int64_t rows = 0;
  std::int64_t first = -1;  ///< where the first row begins; -1: nowhere
  std::int64_t last = -1;   ///< where the last row begins
  bool inside = false;      ///< the part ends within a quoted field
};

/// Rows that begin in a text, which itself begins within a quoted field or with a line.
RowScan scan_rows(std::string_view text, const Dialect& dialect, bool inside);

struct RowSkip {
  std::int64_t rows = 0;
  std::int64_t consumed = 0;  ///< bytes
};

/// Passes over as many whole rows as there are, at most `rows`; what is consumed ends where the next row begins.
RowSkip skip_rows(std::string_view text, const Dialect& dialect, std::int64_t rows);

struct RowSplit {
  std::vector<std::string> fields;  ///< without quotation marks; none of an empty line
  std::int64_t consumed = -1;       ///< bytes, up to the next line; -1: the text ends within the row
};

/// The fields of the row that begins with the text; an empty line has none.
RowSplit split_row(std::string_view text, const Dialect& dialect);

/// The text of a field without the quotation marks that quote.
std::string content(const Field& field);

}  // namespace eh::kernels
