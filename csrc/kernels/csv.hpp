// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/csv_rows.hpp"

/// Tables of numbers as text. Each number is the one nearest to its decimals (ties to even); locale plays no part.
namespace eh::kernels {

/// Which fields of a row are wanted, and what they mean.
struct TableColumns {
  std::vector<std::int64_t> place;   ///< of each field of a row in the result; -1: not wanted
  std::vector<std::string> missing;  ///< texts of fields without a value, besides the empty one
  std::string fill;                  ///< what stands for those, as text; empty: nothing may
  std::int64_t least = std::numeric_limits<std::int64_t>::min();  ///< of int64
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::vector<bool> converted;  ///< fields whose text `convert` replaces; empty: none
  std::function<std::string(std::int64_t, const std::string&)> convert;

  std::int64_t width() const;  ///< of the result
};

struct TableFault {
  enum class Kind { None, Number, Range, Missing, Length };
  Kind kind = Kind::None;
  std::int64_t offset = 0;  ///< of the field, or of the row that has another length
  std::int64_t column = 0;  ///< the field's number; of a row, how many it has
  std::string text;
};

struct TableRows {
  std::int64_t rows = 0;      ///< that were parsed
  std::int64_t consumed = 0;  ///< bytes of whole rows
  std::int64_t skip = 0;      ///< rows to pass over before the next one that is wanted
  TableFault fault;
};

/// Parses every `step`-th row of a text, the first one behind `skip` others, until the text ends (perhaps within a
/// row) or `rows` are done. `out` has `rows` rows of columns.width() numbers.
#define EH_TABLE(T)                                                                                         \
  TableRows parse_table(std::string_view text, const Dialect& dialect, const TableColumns& columns,         \
                        std::int64_t rows, std::int64_t skip, std::int64_t step, T* out);                   \
  std::string format_table(const T* x, std::int64_t rows, std::int64_t columns, std::string_view separator, \
                           int decimals);
EH_TABLE(float)
EH_TABLE(double)
EH_TABLE(std::int64_t)
EH_TABLE(std::uint64_t)
#undef EH_TABLE

}  // namespace eh::kernels
