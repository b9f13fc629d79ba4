// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <vector>

#include "array/dndarray.hpp"
#include "layout/slicing.hpp"

/// The short way of indexing: what one view of x's block does. Local; what it leaves is getitem's and setitem's.
namespace eh {

/// x[key] as one view of x's memory. Absent for arrays and negative steps in the key, for an integer on an axis that
/// is distributed (its row must be sent), and where a gradient is recorded.
/// @pre no Mask and no Take among the items
std::optional<DNDarray> basic_view(const DNDarray& x, const std::vector<KeyItem>& key);

/// x[key] = number, which x's dtype must hold. Whether it was written.
bool write_number(const DNDarray& x, const std::vector<KeyItem>& key, const at::Scalar& number);

/// x[key] = value where every rank has what it writes. Whether it was written.
bool write_whole(const DNDarray& x, const std::vector<KeyItem>& key, const DNDarray& value);

}  // namespace eh
