// SPDX-License-Identifier: BSD-3-Clause
#include "bindings/distributed.hpp"

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "bindings/casters.hpp"
#include "comm/groups.hpp"
#include "interop/process_group.hpp"
namespace eh {
namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

void register_distributed(py::module_& m) {
  m.def(
      "await_members",
      [](const c10::intrusive_ptr<c10d::Store>& store, int rank, int size, double timeout) {
        await_members(*store, rank, size, milliseconds(timeout));
      },
      py::arg("store"), py::arg("rank"), py::arg("size"), py::arg("timeout"), NoGil(),
      "Waits until all members of a process group have come to its making.");
  m.def("polite_copy", &polite_copy, py::arg("comm"), py::arg("key"), NoGil(),
        "The same ranks, ordered by key, for work beside the program. Collective.");
  m.def("polite_group", &polite_group, py::arg("handle"), py::arg("ranks"), py::arg("tag"), NoGil(),
        "Some ranks of a communicator. Collective over them alone.");
  m.def(
      "process_group_backend",
      [](std::shared_ptr<Communicator> comm, const c10::intrusive_ptr<c10d::Store>& store, double timeout,
         std::string name) -> c10::intrusive_ptr<c10d::Backend> {
        return c10::make_intrusive<ProcessGroupBackend>(
            std::move(comm), store, ProcessGroupBackend::Settings{milliseconds(timeout), std::move(name)});
      },
      py::arg("comm"), py::arg("store"), py::arg("timeout"), py::arg("name"), NoGil(),
      "The backend of a process group of torch.distributed.");
}

}  // namespace eh
