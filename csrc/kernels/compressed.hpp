// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

/// Where a sparse matrix has entries: rows compressed, columns ascending without repetition within each row. On the
/// CPU, one thread; rows may be cut into ranges by shifting `begin`. The arithmetic is in compressed_values.hpp.
namespace eh::kernels {

struct Sparsity {
  const std::int64_t* begin;    ///< row i has entries [begin[i], begin[i + 1]); rows + 1 of them
  const std::int64_t* columns;  ///< of all entries
  std::int64_t rows;
};

/// True if begin (rows + 1) ascends from 0 to `entries`.
bool are_begins(const std::int64_t* begin, std::int64_t rows, std::int64_t entries);
/// True if 0 <= x[i] < extent for all of them.
bool are_within(const std::int64_t* x, std::int64_t n, std::int64_t extent);

/// True if the columns of each row ascend strictly.
bool is_canonical(const Sparsity& a);

/// Entries in any order, made into rows: entry k of the result is entry order[k], equal places in the order given.
/// Writes begin (rows + 1), columns and order (n each); false if a place occurs twice (then still to be merged).
bool compress(const std::int64_t* row_of, const std::int64_t* column_of, std::int64_t n, std::int64_t rows,
              std::int64_t* begin, std::int64_t* columns, std::int64_t* order);

/// Makes entries at one place one, in place; entry k of before is part of entry group[k] of after. Returns how many
/// are left. @pre columns ascend in each row
std::int64_t merge_repeated(std::int64_t rows, std::int64_t* begin, std::int64_t* columns,
                            std::int64_t* group);

/// Row of every entry.
void rows_of_entries(const Sparsity& a, std::int64_t* row_of);

/// Entries of the union and of the intersection of two matrices of one shape: writes begin, returns their number.
std::int64_t count_union(const Sparsity& a, const Sparsity& b, std::int64_t* begin);
std::int64_t count_common(const Sparsity& a, const Sparsity& b, std::int64_t* begin);

/// Entries of the product of a and b, which has `columns` columns.
std::int64_t count_product(const Sparsity& a, const Sparsity& b, std::int64_t columns, std::int64_t* begin);

/// The columns that occur, ascending; renumbered[k] is the place of columns[k] among them.
/// @pre 0 <= columns[k] < space
std::vector<std::int64_t> occurring(const std::int64_t* columns, std::int64_t n, std::int64_t space,
                                    std::int64_t* renumbered);

/// Entries of chosen rows behind one another: appends their numbers to `entries`, writes their begin (n + 1).
void pick_rows(const Sparsity& a, const std::int64_t* rows, std::int64_t n, std::int64_t* begin,
               std::vector<std::int64_t>& entries);

/// From a dense mask: writes begin (rows + 1), returns the number of entries; then their columns.
std::int64_t count_marked(const bool* mask, std::int64_t rows, std::int64_t columns, std::int64_t* begin);
void columns_of_marked(const bool* mask, std::int64_t rows, std::int64_t columns, std::int64_t* out);

}  // namespace eh::kernels
