// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Tables of numbers as text: a line is a row, fields stand between separators, may be quoted and have blanks around
/// them; an empty field is NaN. Lines without anything are passed over. Locale plays no part.
namespace eh::kernels {

struct TableShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;  ///< of the first row
};

/// @pre the separator is not empty
TableShape table_shape(std::string_view text, std::string_view separator);

struct TableFault {
  std::int64_t offset = -1;  ///< of the field that is no number, or of the line of another length; -1: none
  bool is_length = false;
};

/// Rows of `columns` numbers. @pre `out` has room for as many rows as table_shape() counts
#define EH_TABLE(T)                                                                                         \
  TableFault parse_table(std::string_view text, std::string_view separator, std::int64_t columns, T* out);  \
  std::string format_table(const T* x, std::int64_t rows, std::int64_t columns, std::string_view separator, \
                           int decimals);
EH_TABLE(float)
EH_TABLE(double)
EH_TABLE(std::int64_t)
#undef EH_TABLE

}  // namespace eh::kernels
