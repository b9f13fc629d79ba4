// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/communicator.hpp"

/// Checks that precede the first message. `fn` and `arg` name the operation and its argument in the error.
namespace eh {

/// Count not negative, pointer not null where there are elements, CUDA memory only with staging.
void check_buffer(const char* fn, const char* arg, ConstBuffer buffer);
/// Two buffers of one operation: each valid, of one dtype.
void check_pair(const char* fn, ConstBuffer send, ConstBuffer recv);
/// `what` explains where the expected number of elements comes from.
void check_count(const char* fn, const char* arg, std::int64_t count, std::int64_t expected,
                 const char* what);
/// One count per rank, none negative; returns their sum.
std::int64_t check_counts(const char* fn, const char* arg, const Counts& counts, int size);
/// A rank in [0, size).
void check_root(const char* fn, int root, int size);
/// A rank in [0, size), or -1 for nobody.
void check_peer(const char* fn, const char* arg, int peer, int size);
void check_tag(const char* fn, int tag);
/// The two ranges of memory have no byte in common.
void check_disjoint(const char* fn, ConstBuffer send, ConstBuffer recv);

}  // namespace eh
