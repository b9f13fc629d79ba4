// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

namespace eh {

/// redistribute() for an array that is not read again: it is exchanged in rounds, and `last_reader` lets each give the
/// memory of what has been sent back to the system, so that source and target together need little more than the larger
/// one. Memory that something else looks at is kept. Not differentiable: with gradients it is redistribute(). Collective.
DNDarray redistribute_consuming(const DNDarray& x, const LayoutPtr& to, bool last_reader);

}  // namespace eh
