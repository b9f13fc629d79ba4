// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <vector>

#include "array/dndarray.hpp"
#include "layout/slicing.hpp"

/// Reading and writing parts of an array, by NumPy's rules.
namespace eh {

/// An index expression and its arrays, in its order: boolean masks and integers, of any split.
struct Key {
  std::vector<KeyItem> items;
  std::vector<DNDarray> arrays;
};

/// x[key]. Differentiable.
///
/// Slices keep the split and send nothing, but for a negative step along the split (one alltoallv). An integer
/// on the split axis replicates the result (one broadcast of it). One mask keeps the split of what it leaves whole;
/// over the split axis its result is split along the new axis, unbalanced, in C order: one number per rank is
/// sent, and one alltoallv where the split is not the first axis under the mask. Integers, and several arrays (masks
/// then count as the integers they stand for): see gather_at. Without arrays or messages the result shares x's memory.
/// Collective.
DNDarray getitem(const DNDarray& x, const Key& key);

/// x[key] = value, written into x's memory and cast to its dtype; ranks write what they own. Of elements named more
/// than once the last value in C order stays. Returns x, with memory of its own if it was a broadcast array.
///
/// A value that is split otherwise than the part it goes to is redistributed. Collective.
DNDarray setitem(const DNDarray& x, const Key& key, const DNDarray& value);

/// Coordinates of the elements that are not zero, in C order: one array per axis, split 0 (unbalanced) when x is
/// split. Collective.
std::vector<DNDarray> nonzero(const DNDarray& x);

}  // namespace eh
