// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

namespace eh {

class Communicator;
class Node;

/// A rank whose program has ended while others are in a collective that needs it: they would wait for ever, and
/// MPI_Finalize with them. The rank that left ends the job then, after the others have printed their stacks.
///
/// Noticed among the ranks of one node, which count their collectives where the others see it (Board::entered).
struct LeavingOptions {
  double seconds = 3;    ///< what the others get to come after
  int stack_signal = 0;  ///< makes a rank of the node print its stacks; 0: they are not asked
  int exit_code = 1;
};

/// From now on MPI_Finalize begins with a look at those who have not come yet; once per process. Collective over the
/// communicator, which should be all ranks.
void leave_together(const Communicator& world, LeavingOptions options);

/// Its collectives are looked at while it lives.
void count_collectives(const std::shared_ptr<Node>& node);
/// Those of the communicators that live now are looked at until the end: for a program that drops them on its way out.
void keep_counts();

}  // namespace eh
