// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "array/windows.hpp"
#include "comm/view_exchange.hpp"

namespace eh {

/// Halo exchange of arrays of one layout and type, planned once and done again and again, with work in between.
/// No gradient: see extended() for that.
class HaloExchange {
 public:
  /// `before` rows in front of every rank's own and `after` behind them, also for ranks without rows. Local.
  /// @pre layout->is_split()
  HaloExchange(LayoutPtr layout, std::int64_t before, std::int64_t after, Beyond beyond, CommPtr comm,
               DType dtype);

  /// Sends this rank's rows, which must not change before finish(). Collective; waits for nobody.
  void start(const at::Tensor& local);
  /// The rows in front of the block and those behind it. Collective.
  std::pair<at::Tensor, at::Tensor> finish();
  bool is_under_way() const { return rows_.defined(); }

  const Layout& layout() const { return *layout_; }
  bool serves(const Layout& layout, std::int64_t before, std::int64_t after, const Beyond& beyond,
              const Communicator& comm, DType dtype) const;

 private:
  void copy_own_rows();
  void fill_other_rows();

  LayoutPtr layout_;
  std::int64_t before_;
  std::int64_t after_;
  Beyond beyond_;
  CommPtr comm_;
  DType dtype_;
  MovePlan plan_;
  std::vector<Window> others_;  ///< rows that nobody sends
  at::Tensor local_;            ///< while under way
  at::Tensor rows_;
  at::Tensor spare_;                   ///< the latest result, used again once nobody looks at it
  std::optional<ViewExchange> views_;  ///< last: it completes before the memory goes
};

/// One that is at rest, kept from an earlier call where there was one. Local.
std::shared_ptr<HaloExchange> halo_exchange_for(const DNDarray& x, std::int64_t before, std::int64_t after,
                                                const Beyond& beyond);

}  // namespace eh
