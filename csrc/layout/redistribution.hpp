// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "layout/layout.hpp"
#include "layout/moves.hpp"
#include "layout/windows.hpp"

/// Plans for one global array under another layout. Pure: no communication.
namespace eh {

/// What one rank does. Transfers are ranges of the local block: of axis `send_axis` before, of `recv_axis` after.
struct Redistribution {
  enum class Kind : std::uint8_t {
    Nothing,   ///< the blocks stay as they are
    Slice,     ///< every rank has the whole and keeps its part
    Gather,    ///< every rank gets the whole
    Exchange,  ///< pieces between ranks
  };
  Kind kind = Kind::Nothing;
  int send_axis = kNoSplit;
  int recv_axis = kNoSplit;
  std::vector<Transfer> sends;  ///< of Exchange: by peer, the own one too, empty ones left out
  std::vector<Transfer> recvs;
};

/// @pre the same global shape and number of ranks
Redistribution plan_redistribution(const Layout& from, const Layout& to, int rank);

/// The same, computed once: the latest plans are kept. Safe to call from several threads.
std::shared_ptr<const Redistribution> redistribution_of(const LayoutPtr& from, const LayoutPtr& to, int rank);

/// The part of an exchange between two axes that is done in one round, so that source memory can be given back behind
/// it and target memory is first touched then: of `rounds` rounds, the same on all ranks.
struct Round {
  int axis;  ///< the axis whose entries take turns: the one of the two splits that lies in front
  std::vector<Window> of;  ///< entries of that axis, of each rank's share of it, in global numbers
};
/// @pre both layouts are split, along different axes
Round round_of(const Layout& from, const Layout& to, int round, int rounds);

}  // namespace eh
