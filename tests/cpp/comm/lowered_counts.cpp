// SPDX-License-Identifier: BSD-3-Clause
// Linked into the program whose comm/ has 32-bit counts: makes 65 elements a large message there.
#include "comm/large.hpp"

namespace {

const bool lowered = [] {
  eh::set_max_count(64);
  return true;
}();

}  // namespace
