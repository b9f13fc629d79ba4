// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/csv_rows.hpp"

namespace eh::kernels {
namespace {

/// What may stand in a number behind its first digit.
bool is_numeral(char c) { return c != '\0' && std::strchr("0123456789+-.eE", c) != nullptr; }

}  // namespace

RowCursor::RowCursor(std::string_view text, const Dialect& dialect)
    : separator_(dialect.separator),
      comment_(dialect.comment),
      begin_(text.data()),
      end_(text.data() + text.size()),
      quote_(text.data()),
      first_of_separator_(separator_.empty() ? '\0' : separator_.front()),
      first_of_comment_(comment_.empty() ? '\0' : comment_.front()),
      by_blanks_(separator_.empty()),
      plain_(!is_numeral(first_of_separator_) && !is_numeral(first_of_comment_)) {}

/// The quotation mark that closes the field whose text begins at p; nullptr if there is none.
const char* RowCursor::closing(const char* p) const {
  for (;; p += 2) {
    p = static_cast<const char*>(std::memchr(p, '"', static_cast<std::size_t>(end_ - p)));
    if (p == nullptr || p + 1 == end_ || p[1] != '"') return p;
  }
}

Field RowCursor::take(const char*& p) const {
  const char* from = pass_blanks(p);
  p = from;
  if (p != end_ && *p == '"') {
    const char* close = closing(p + 1);
    if (close == nullptr) {
      p = end_;
      return {std::string_view(from + 1, end_), true, true};
    }
    p = close + 1;
    const char* next = p;
    if (pass(next) != Stop::None) return {std::string_view(from + 1, close), true, false};
  }
  while (p != end_ && *p != '\n' && !separates(p) && !comments(p) && !(by_blanks_ && is_blank(*p))) ++p;
  const char* last = p;
  while (last != from && is_blank(last[-1])) --last;
  return {std::string_view(from, last), false, false};
}

const char* RowCursor::next_row(const char* p) const {
  for (;;) {
    const char* q = pass_blanks(p);
    if (q == end_) return end_;
    if (*q != '\n' && !comments(q)) return p;
    p = next_line(q);
  }
}

const char* RowCursor::behind_fields(const char* p) const {
  Stop stop = Stop::Field;
  while (stop == Stop::Field) {
    if (take(p).open) return nullptr;
    stop = pass(p);
  }
  return p;
}

const char* RowCursor::behind_row(const char* p) {
  const char* line = next_line(p);
  if (quote_ < p) quote_ = p;
  const void* found = std::memchr(quote_, '"', static_cast<std::size_t>(end_ - quote_));
  quote_ = found == nullptr ? end_ : static_cast<const char*>(found);
  return quote_ >= line ? line : behind_fields(p);
}

const char* RowCursor::behind_quoted(const char* p) const {
  const char* close = closing(p);
  if (close == nullptr) return nullptr;
  p = close + 1;
  Stop stop = pass(p);
  if (stop == Stop::None) {
    while (p != end_ && *p != '\n' && !separates(p) && !comments(p) && !(by_blanks_ && is_blank(*p))) ++p;
    stop = pass(p);
  }
  return stop == Stop::Field ? behind_fields(p) : p;
}

RowScan scan_rows(std::string_view text, const Dialect& dialect, bool inside) {
  RowCursor cursor(text, dialect);
  RowScan scan;
  const char* p = inside ? cursor.behind_quoted(cursor.begin()) : cursor.begin();
  while (p != nullptr && (p = cursor.next_row(p)) != cursor.end()) {
    scan.last = p - cursor.begin();
    if (scan.rows++ == 0) scan.first = scan.last;
    p = cursor.behind_row(p);
  }
  scan.inside = p == nullptr;
  return scan;
}

RowSkip skip_rows(std::string_view text, const Dialect& dialect, std::int64_t rows) {
  RowCursor cursor(text, dialect);
  RowSkip skip;
  const char* p = cursor.next_row(cursor.begin());
  while (skip.rows < rows && p != cursor.end()) {
    const char* next = cursor.behind_row(p);
    if (next == nullptr) break;
    p = cursor.next_row(next);
    ++skip.rows;
  }
  skip.consumed = p - cursor.begin();
  return skip;
}

RowSplit split_row(std::string_view text, const Dialect& dialect) {
  const RowCursor cursor(text, dialect);
  RowSplit row;
  const char* p = cursor.pass_blanks(cursor.begin());
  RowCursor::Stop stop = cursor.pass(p);
  if (stop == RowCursor::Stop::Field || stop == RowCursor::Stop::None) {
    p = cursor.begin();
    stop = RowCursor::Stop::Field;
  }
  while (stop == RowCursor::Stop::Field) {
    const Field field = cursor.take(p);
    if (field.open) return {};
    row.fields.push_back(content(field));
    stop = cursor.pass(p);
  }
  if (p != cursor.end() || (p != cursor.begin() && p[-1] == '\n')) row.consumed = p - cursor.begin();
  return row;
}

std::string content(const Field& field) {
  const std::string_view text = field.text;
  if (!field.quoted && !text.starts_with('"')) return std::string(text);
  std::string out;
  for (std::size_t at = field.quoted ? 0 : 1; at < text.size(); ++at) {
    if (text[at] == '"' && !text.substr(at + 1).starts_with('"')) return out.append(text.substr(at + 1));
    at += text[at] == '"';
    out += text[at];
  }
  return out;
}

}  // namespace eh::kernels
