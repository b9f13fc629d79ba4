// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/compressed.hpp"

#include <algorithm>
#include <numeric>

#include "base/shape.hpp"

namespace eh::kernels {
namespace {

using Numbers = std::vector<std::int64_t>;

/// Puts the entries of one row, whose numbers are in order[first, last), into the order of their columns. True if
/// they differ.
bool sort_row(const std::int64_t* column_of, std::int64_t* first, std::int64_t* last) {
  const auto before = [column_of](std::int64_t a, std::int64_t b) { return column_of[a] < column_of[b]; };
  if (!std::is_sorted(first, last, before)) std::stable_sort(first, last, before);
  const auto same = [column_of](std::int64_t a, std::int64_t b) { return column_of[a] == column_of[b]; };
  return std::adjacent_find(first, last, same) == last;
}

/// Walks two rows together; `step` takes what each contributes.
template <typename Step>
void walk(const Sparsity& a, const Sparsity& b, std::int64_t row, const Step& step) {
  std::int64_t i = a.begin[row];
  std::int64_t j = b.begin[row];
  const std::int64_t i_end = a.begin[row + 1];
  const std::int64_t j_end = b.begin[row + 1];
  while (i < i_end && j < j_end) {
    const bool from_a = a.columns[i] <= b.columns[j];
    const bool from_b = b.columns[j] <= a.columns[i];
    step(from_a, from_b);
    i += static_cast<std::int64_t>(from_a);
    j += static_cast<std::int64_t>(from_b);
  }
}

Numbers occurring_by_table(const std::int64_t* columns, std::int64_t n, std::int64_t space,
                           std::int64_t* renumbered) {
  Numbers place(at(space), -1);
  for (std::int64_t k = 0; k < n; ++k) place[at(columns[k])] = 0;
  Numbers found;
  for (std::int64_t c = 0; c < space; ++c) {
    if (place[at(c)] < 0) continue;
    place[at(c)] = static_cast<std::int64_t>(found.size());
    found.push_back(c);
  }
  for (std::int64_t k = 0; k < n; ++k) renumbered[k] = place[at(columns[k])];
  return found;
}

Numbers occurring_by_sorting(const std::int64_t* columns, std::int64_t n, std::int64_t* renumbered) {
  Numbers found(columns, columns + n);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (std::int64_t k = 0; k < n; ++k)
    renumbered[k] = std::lower_bound(found.begin(), found.end(), columns[k]) - found.begin();
  return found;
}

}  // namespace

// Signs are collected: sums and disjunctions vectorise where comparisons of 64 bits do not.
bool are_begins(const std::int64_t* begin, std::int64_t rows, std::int64_t entries) {
  std::int64_t signs = 0;
  for (std::int64_t i = 0; i < rows; ++i) signs |= begin[i + 1] - begin[i];
  return signs >= 0 && begin[0] == 0 && begin[rows] == entries;
}

bool are_within(const std::int64_t* x, std::int64_t n, std::int64_t extent) {
  std::int64_t signs = 0;
  for (std::int64_t i = 0; i < n; ++i) signs |= x[i] | (extent - 1 - x[i]);
  return signs >= 0;
}

bool is_canonical(const Sparsity& a) {
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t k = a.begin[i] + 1; k < a.begin[i + 1]; ++k) {
      if (a.columns[k] <= a.columns[k - 1]) return false;
    }
  }
  return true;
}

bool compress(const std::int64_t* row_of, const std::int64_t* column_of, std::int64_t n, std::int64_t rows,
              std::int64_t* begin, std::int64_t* columns, std::int64_t* order) {
  std::fill(begin, begin + rows + 1, 0);
  for (std::int64_t k = 0; k < n; ++k) ++begin[row_of[k] + 1];
  std::partial_sum(begin, begin + rows + 1, begin);
  Numbers next(begin, begin + rows);
  for (std::int64_t k = 0; k < n; ++k) order[next[at(row_of[k])]++] = k;
  bool distinct = true;
  for (std::int64_t i = 0; i < rows; ++i)
    distinct = sort_row(column_of, order + begin[i], order + begin[i + 1]) && distinct;
  for (std::int64_t k = 0; k < n; ++k) columns[k] = column_of[order[k]];
  return distinct;
}

std::int64_t merge_repeated(std::int64_t rows, std::int64_t* begin, std::int64_t* columns,
                            std::int64_t* group) {
  std::int64_t kept = 0;
  std::int64_t first = begin[0];
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t last = begin[i + 1];
    const std::int64_t row_begin = kept;
    for (std::int64_t k = first; k < last; ++k) {
      if (kept == row_begin || columns[kept - 1] != columns[k]) columns[kept++] = columns[k];
      group[k] = kept - 1;
    }
    begin[i] = row_begin;
    first = last;
  }
  begin[rows] = kept;
  return kept;
}

void rows_of_entries(const Sparsity& a, std::int64_t* row_of) {
  for (std::int64_t i = 0; i < a.rows; ++i) std::fill(row_of + a.begin[i], row_of + a.begin[i + 1], i);
}

std::int64_t count_common(const Sparsity& a, const Sparsity& b, std::int64_t* begin) {
  begin[0] = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t n = 0;
    walk(a, b, i, [&n](bool from_a, bool from_b) { n += static_cast<std::int64_t>(from_a && from_b); });
    begin[i + 1] = begin[i] + n;
  }
  return begin[a.rows];
}

std::int64_t count_union(const Sparsity& a, const Sparsity& b, std::int64_t* begin) {
  count_common(a, b, begin);
  for (std::int64_t i = a.rows; i > 0; --i) begin[i] -= begin[i - 1];
  for (std::int64_t i = 0; i < a.rows; ++i)
    begin[i + 1] = begin[i] + (a.begin[i + 1] - a.begin[i]) + (b.begin[i + 1] - b.begin[i]) - begin[i + 1];
  return begin[a.rows];
}

std::int64_t count_product(const Sparsity& a, const Sparsity& b, std::int64_t columns, std::int64_t* begin) {
  Numbers seen(at(columns), -1);
  begin[0] = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t n = 0;
    for (std::int64_t k = a.begin[i]; k < a.begin[i + 1]; ++k) {
      const std::int64_t row = a.columns[k];
      for (std::int64_t l = b.begin[row]; l < b.begin[row + 1]; ++l) {
        std::int64_t& last = seen[at(b.columns[l])];
        n += static_cast<std::int64_t>(last != i);
        last = i;
      }
    }
    begin[i + 1] = begin[i] + n;
  }
  return begin[a.rows];
}

std::vector<std::int64_t> occurring(const std::int64_t* columns, std::int64_t n, std::int64_t space,
                                    std::int64_t* renumbered) {
  return space <= 4 * n + 1024 ? occurring_by_table(columns, n, space, renumbered)
                               : occurring_by_sorting(columns, n, renumbered);
}

void pick_rows(const Sparsity& a, const std::int64_t* rows, std::int64_t n, std::int64_t* begin,
               std::vector<std::int64_t>& entries) {
  begin[0] = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = a.begin[rows[i]]; k < a.begin[rows[i] + 1]; ++k) entries.push_back(k);
    begin[i + 1] = static_cast<std::int64_t>(entries.size());
  }
}

std::int64_t count_marked(const bool* mask, std::int64_t rows, std::int64_t columns, std::int64_t* begin) {
  begin[0] = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    std::int64_t n = 0;
    for (std::int64_t j = 0; j < columns; ++j) n += static_cast<std::int64_t>(mask[i * columns + j]);
    begin[i + 1] = begin[i] + n;
  }
  return begin[rows];
}

void columns_of_marked(const bool* mask, std::int64_t rows, std::int64_t columns, std::int64_t* out) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      if (mask[i * columns + j]) *out++ = j;
    }
  }
}

}  // namespace eh::kernels
