// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>

/// Loops over the threads torch has: one thread is none.
namespace eh {

/// Work on rows [begin, end) in the threads torch has.
void parallel_rows(std::int64_t rows, std::int64_t cost_per_row,
                   const std::function<void(std::int64_t begin, std::int64_t end)>& work);
/// The number of parts parallel_parts makes of these rows.
std::int64_t parts_of(std::int64_t rows, std::int64_t cost_per_row);
/// Work on `parts` consecutive pieces of the rows, numbered, for results that are added up in order afterwards.
void parallel_parts(std::int64_t rows, std::int64_t parts,
                    const std::function<void(std::int64_t part, std::int64_t begin, std::int64_t end)>& work);

}  // namespace eh
