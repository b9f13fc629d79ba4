// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "comm/communicator.hpp"

/// Communicators that work beside the program's own thread, and messages from anybody.
///
/// A polite communicator gives the core away while it waits, instead of spinning on it: blocking calls of MPI are started
/// and polled. All ranks of it do the same, since MPI's blocking and non-blocking collectives do not match.
namespace eh {

/// A polite communicator of the same ranks, ordered by key. Collective.
std::shared_ptr<Communicator> polite_copy(const Communicator& comm, int key);

/// A polite communicator of the named ranks of one given by its Fortran handle, in this order. Collective over them alone:
/// other ranks take no part and are not waited for. Groups that are made at the same time need different tags.
/// @pre this process is one of them
std::shared_ptr<Communicator> polite_group(int handle, const std::vector<int>& ranks, int tag);

/// irecv from any rank of the communicator, which is in `source` once the request is complete.
[[nodiscard]] Request irecv_from_any(const Communicator& comm, Buffer buffer, int tag,
                                     const std::shared_ptr<int>& source);

}  // namespace eh
