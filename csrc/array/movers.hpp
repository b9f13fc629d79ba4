// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"
#include "layout/moves.hpp"

/// Data movement without gradients; autograd.hpp wraps each with its adjoint.
namespace eh::movers {

/// Memory for a result, not set to anything; large pages where it is large.
at::Tensor empty(const Shape& shape, const at::Tensor& like);

/// See move_rows in autograd.hpp. `reverse` runs the moves from target to source, adding up where a source
/// row was read more than once.
at::Tensor move_rows(const at::Tensor& local, int axis, const std::vector<std::int64_t>& from,
                     const std::vector<std::int64_t>& to, const std::vector<Move>& moves, bool reverse,
                     const Communicator& comm);

/// See redistribute_local in autograd.hpp. Plans of layouts that are shared are computed once.
at::Tensor redistribute(const at::Tensor& local, const LayoutPtr& from, const LayoutPtr& to,
                        const Communicator& comm);
at::Tensor redistribute(const at::Tensor& local, const Layout& from, const Layout& to,
                        const Communicator& comm);

}  // namespace eh::movers
