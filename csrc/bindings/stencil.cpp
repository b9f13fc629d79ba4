// SPDX-License-Identifier: BSD-3-Clause
#include "ops/stencil.hpp"

#include <algorithm>
#include <utility>

#include "array/autograd.hpp"
#include "array/halo.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"

namespace eh {
namespace {

using Widths = std::vector<std::int64_t>;

Boundary boundary_of(const std::string& name) {
  if (name == "periodic") return Boundary::Wrap;
  if (name == "symmetric") return Boundary::Symm;
  if (name == "reflect") return Boundary::Reflect;
  if (name == "edge") return Boundary::Edge;
  EH_CHECK(name == "constant", ValueError,
           "stencil: boundary must be constant, periodic, reflect, symmetric or ", "edge, is ", name);
  return Boundary::Fill;
}

Frame frame_of(const DNDarray& x, Widths before, Widths after, const std::string& boundary, double fill) {
  const auto fits = [&](const Widths& widths) {
    return static_cast<int>(widths.size()) == x.ndim() &&
           std::all_of(widths.begin(), widths.end(), [](std::int64_t n) { return n >= 0; });
  };
  EH_CHECK(fits(before) && fits(after), ValueError, "stencil: one width for each of the ", x.ndim(),
           " axes is needed, none negative");
  return {std::move(before), std::move(after), {boundary_of(boundary), fill}};
}

at::Tensor extended_block(const DNDarray& x, Widths before, Widths after, const std::string& boundary,
                          double fill) {
  return extended(x, frame_of(x, std::move(before), std::move(after), boundary, fill));
}

/// Every rank's window [begins[rank], ends[rank]) of an axis.
at::Tensor window(const DNDarray& x, int axis, const Widths& begins, const Widths& ends,
                  const std::string& boundary, double fill) {
  const auto ranks = static_cast<std::size_t>(x.comm().size());
  EH_CHECK(begins.size() == ranks && ends.size() == ranks, ValueError, "window: one range for each of the ",
           ranks, " ranks is needed");
  std::vector<Window> windows;
  for (std::size_t r = 0; r < ranks; ++r) windows.push_back({begins[r], std::max(begins[r], ends[r])});
  return window_of(x, normalize_axis(axis, x.ndim(), "window"), windows, {boundary_of(boundary), fill});
}

DNDarray weighted(const DNDarray& x, Widths before, Widths after, const std::string& boundary, double fill,
                  std::vector<Widths> offsets, std::vector<double> weights,
                  const std::optional<DNDarray>& out, bool add, std::int64_t steps) {
  EH_CHECK(steps >= 1, ValueError, "stencil: steps must be at least 1, is ", steps);
  if (out) {
    EH_CHECK(out->layout() == x.layout() && out->local().scalar_type() == x.local().scalar_type(), ValueError,
             "stencil: out must have the shape, dtype and distribution of x");
    EH_CHECK(!needs_grad(x.local()) && !needs_grad(out->local()), ValueError,
             "stencil: gradients are not recorded through out");
    EH_CHECK(!out->local().is_alias_of(x.local()), ValueError, "stencil: out must not be x itself");
  }
  const Frame frame = frame_of(x, std::move(before), std::move(after), boundary, fill);
  const Taps taps{std::move(offsets), std::move(weights)};
  return steps > 1 ? repeated_stencil(x, frame, taps, steps, out)
                   : weighted_stencil(x, frame, taps, {out, add});
}

DNDarray mapped(const DNDarray& x, Widths before, Widths after, const std::string& boundary, double fill,
                const py::function& fn) {
  const Frame frame = frame_of(x, std::move(before), std::move(after), boundary, fill);
  const BlockFunction call = [&](const at::Tensor& wide) {
    py::gil_scoped_acquire acquire;
    return fn(wide).cast<at::Tensor>();
  };
  py::gil_scoped_release release;
  return map_stencil(x, frame, call);
}

std::shared_ptr<HaloExchange> make_halo(const DNDarray& x, std::int64_t before, std::int64_t after,
                                        const std::string& boundary, double fill) {
  EH_CHECK(x.layout().is_split(), ValueError, "halo: the array has split None; resplit it first");
  EH_CHECK(before >= 0 && after >= 0, ValueError, "halo: widths must not be negative, are ", before, " and ",
           after);
  return std::make_shared<HaloExchange>(x.layout_ptr(), before, after, Beyond{boundary_of(boundary), fill},
                                        x.comm_ptr(), dtype_of(x.local().scalar_type()));
}

using MaybeRows = std::optional<at::Tensor>;

/// Rows beside the block, cut off at the ends of an axis that is no ring. Without gradients.
std::pair<MaybeRows, MaybeRows> halo_rows(const DNDarray& x, std::int64_t before, std::int64_t after,
                                          bool periodic) {
  const Layout& layout = x.layout();
  if (!layout.is_split() || before + after == 0 || (x.comm().size() == 1 && !periodic)) return {};
  const int rank = x.comm().rank();
  const auto halo = halo_exchange_for(x, before, after, {periodic ? Boundary::Wrap : Boundary::Fill, 0});
  halo->start(x.local());
  const auto [front, behind] = halo->finish();
  if (layout.count(rank) == 0) return {};
  const std::int64_t end = layout.offset(rank) + layout.count(rank);
  const std::int64_t n = layout.offsets().back();
  const std::int64_t first = periodic ? before : std::min(before, layout.offset(rank));
  const std::int64_t last = periodic ? after : std::min(after, n - end);
  MaybeRows prev, next;
  if (first > 0) prev = front.narrow(x.split(), before - first, first);
  if (last > 0) next = behind.narrow(x.split(), 0, last);
  return {prev, next};
}

void start_halo(HaloExchange& halo, const DNDarray& x) {
  EH_CHECK(&x.layout() == &halo.layout() || x.layout() == halo.layout(), ValueError,
           "halo: the array's distribution is not the one the exchange was made for");
  halo.start(x.local());
}

}  // namespace

void register_stencil(py::module_& m) {
  m.def("extended", &extended_block, py::arg("x"), py::arg("before"), py::arg("after"), py::arg("boundary"),
        py::arg("fill"), NoGil(), "The local block with a frame around it. Collective.");
  m.def("window", &window, py::arg("x"), py::arg("axis"), py::arg("begins"), py::arg("ends"),
        py::arg("boundary"), py::arg("fill"), NoGil(), "This rank's window onto an axis. Collective.");
  m.def("weighted_stencil", &weighted, py::arg("x"), py::arg("before"), py::arg("after"), py::arg("boundary"),
        py::arg("fill"), py::arg("offsets"), py::arg("weights"), py::arg("out"), py::arg("add"),
        py::arg("steps"), NoGil(), "Collective.");
  m.def("map_stencil", &mapped, py::arg("x"), py::arg("before"), py::arg("after"), py::arg("boundary"),
        py::arg("fill"), py::arg("fn"), "Collective.");
  m.def("halo_rows", &halo_rows, py::arg("x"), py::arg("before"), py::arg("after"), py::arg("periodic"),
        NoGil(), "Rows before and behind the block, or None. Collective.");
  m.def("enter_partial", &enter_partial, py::arg("replicated"), py::arg("comm"),
        "A replicated tensor for use beside local blocks; its gradient is summed over ranks.");
  py::class_<HaloExchange, std::shared_ptr<HaloExchange>>(m, "HaloExchange", "Halos of arrays of one layout.")
      .def(py::init(&make_halo), py::arg("x"), py::arg("before"), py::arg("after"), py::arg("boundary"),
           py::arg("fill"))
      .def("start", &start_halo, py::arg("x"), NoGil(), "Collective; waits for nobody.")
      .def("finish", &HaloExchange::finish, NoGil(), "(rows before, rows after). Collective.")
      .def(
          "exchange",
          [](HaloExchange& halo, const DNDarray& x) {
            start_halo(halo, x);
            return halo.finish();
          },
          py::arg("x"), NoGil(), "Both at once. Collective.");
}

}  // namespace eh
