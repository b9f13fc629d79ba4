// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include "array/contraction_plan.hpp"

namespace {

using eh::Layout;
using eh::LoopNest;
using eh::Meeting;
using eh::Operand;
using eh::share;

constexpr int kRanks = 4;

eh::Contraction contraction(eh::Shape a, int a_split, eh::Shape b, int b_split, eh::Shape c, int c_split) {
  return {share(Layout::balanced(std::move(a), a_split, kRanks)),
          share(Layout::balanced(std::move(b), b_split, kRanks)),
          share(Layout::balanced(std::move(c), c_split, kRanks))};
}

TEST_CASE("loops and the axes they have in the operands") {
  const auto spec = contraction({3, 1, 5, 7}, 3, {3, 2, 7, 4}, 1, {1, 2, 5, 4}, 2);
  const LoopNest nest(spec);
  CHECK(nest.nbatch() == 2);
  CHECK(nest.extent(0) == 3);
  CHECK(nest.extent(1) == 2);
  CHECK(nest.extent(nest.m()) == 5);
  CHECK(nest.extent(nest.n()) == 4);
  CHECK(nest.extent(nest.k()) == 7);
  CHECK(nest.summed_axes() == std::vector<std::int64_t>{0});

  CHECK(nest.axis(Operand::A, nest.k()) == 3);
  CHECK(nest.axis(Operand::B, nest.k()) == 2);
  CHECK(nest.axis(Operand::C, nest.k()) == -1);
  CHECK(nest.axis(Operand::B, nest.m()) == -1);
  CHECK_FALSE(nest.contains(Operand::A, 1));  // broadcast
  CHECK_FALSE(nest.contains(Operand::C, 0));  // summed over

  CHECK(nest.split_label(Operand::A, *spec.a) == nest.k());
  CHECK(nest.split_label(Operand::B, *spec.b) == 1);
  CHECK(nest.split_label(Operand::C, *spec.c) == nest.m());
}

TEST_CASE("two different splits meet where the least travels") {
  struct Row {
    const char* what;
    std::int64_t m, k, n;
    int a_split, b_split, c_split;
    Meeting expected;
  };
  const Row rows[] = {
      {"0 @ 1, b small", 1000, 100, 10, 0, 1, 0, Meeting::CirculateB},
      {"0 @ 1, a and c small", 10, 1000, 1000, 0, 1, 0, Meeting::CirculateA},
      {"0 @ 0, square", 512, 512, 512, 0, 0, 0, Meeting::CirculateB},
      {"0 @ 0, long k, small c", 8, 4096, 8, 0, 0, 0, Meeting::MoveA},
      {"1 @ 1, square", 512, 512, 512, 1, 1, 1, Meeting::CirculateA},
      {"1 @ 1, long k, small c", 8, 4096, 8, 1, 1, 1, Meeting::MoveB},
      {"0 @ 0 to replicated, long k", 8, 4096, 8, 0, 0, -1, Meeting::MoveA},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto spec =
        contraction({row.m, row.k}, row.a_split, {row.k, row.n}, row.b_split, {row.m, row.n}, row.c_split);
    const LoopNest nest(spec);
    const Meeting meeting =
        eh::choose_meeting(nest, nest.split_label(Operand::A, *spec.a), nest.split_label(Operand::B, *spec.b),
                           nest.split_label(Operand::C, *spec.c), kRanks);
    CHECK(meeting == row.expected);
  }
}

}  // namespace
