// SPDX-License-Identifier: BSD-3-Clause
#include <string_view>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "comm/call.hpp"
#include "comm/communicator.hpp"

namespace eh {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

/// A tensor to send: contiguous, copied only if it must be.
struct Outgoing {
  at::Tensor tensor;
  explicit Outgoing(const OptionalTensor& t) {
    if (t) tensor = t->detach().resolve_conj().resolve_neg().contiguous();
  }
  ConstBuffer buffer(DType dtype) const {
    return tensor.defined() ? const_buffer(tensor) : ConstBuffer{nullptr, 0, dtype};
  }
};

/// A tensor to fill: itself when contiguous, else a staging copy that is written back.
struct Incoming {
  at::Tensor target;
  at::Tensor staged;
  explicit Incoming(const OptionalTensor& t) {
    if (!t) return;
    target = t->detach();
    staged = target.is_contiguous() && !target.is_conj() && !target.is_neg()
                 ? target
                 : target.clone(at::MemoryFormat::Contiguous);
  }
  Buffer buffer(DType dtype) const {
    return staged.defined() ? eh::buffer(staged) : Buffer{nullptr, 0, dtype};
  }
  void finish() const {
    if (staged.defined() && !staged.is_same(target)) target.copy_(staged);
  }
};

/// One pending or finished operation with the tensors it reads and writes.
struct Operation {
  Outgoing out;
  Incoming in;
  Request request;
  void wait() {
    request.wait();
    in.finish();
  }
};
using OperationPtr = std::shared_ptr<Operation>;

DType dtype_of(const OptionalTensor& a, const OptionalTensor& b) {
  EH_CHECK(a || b, ValueError, "communication: neither a tensor to send nor one to receive was given");
  return eh::dtype_of((a ? *a : *b).scalar_type());
}

/// The shape that ranks must have in common: of what is sent, or received where only one rank sends.
ShapeNote note_shape(const OptionalTensor& send, const OptionalTensor& recv, bool one_sends) {
  const at::Tensor& part = send && !(one_sends && recv) ? *send : *recv;
  return {part.sizes().data(), part.sizes().size()};
}

/// Runs a blocking collective on tensors. call(send buffer, receive buffer).
template <typename Call>
void blocking(const OptionalTensor& send, const OptionalTensor& recv, const Call& call,
              bool one_sends = false) {
  const DType dtype = dtype_of(send, recv);
  const Outgoing out(send);
  const Incoming in(recv);
  const ShapeNote note = note_shape(send, recv, one_sends);
  call(out.buffer(dtype), in.buffer(dtype));
  in.finish();
}

/// The same, started: call returns the Request.
template <typename Call>
OperationPtr started(const OptionalTensor& send, const OptionalTensor& recv, const Call& call,
                     bool one_sends = false) {
  const DType dtype = dtype_of(send, recv);
  auto operation = std::make_shared<Operation>(Operation{Outgoing(send), Incoming(recv), Request()});
  const ShapeNote note = note_shape(send, recv, one_sends);
  operation->request = call(operation->out.buffer(dtype), operation->in.buffer(dtype));
  return operation;
}

constexpr bool only_root_sends(std::string_view name) { return name == "scatter"; }

// Binds name and iname: `call` is a generic lambda (communicator, send, recv, extra arguments...).
#define EH_BIND_PAIR(cls, name, extra, given, ...)                                                       \
  cls.def(                                                                                               \
      #name,                                                                                             \
      [](const Communicator& self, const OptionalTensor& send, const OptionalTensor& recv extra) {       \
        blocking(send, recv, [&](ConstBuffer s, Buffer r) { self.name given; }, only_root_sends(#name)); \
      },                                                                                                 \
      py::arg("send"), py::arg("recv"), ##__VA_ARGS__, NoGil());                                         \
  cls.def(                                                                                               \
      "i" #name,                                                                                         \
      [](const Communicator& self, const OptionalTensor& send, const OptionalTensor& recv extra) {       \
        return started(                                                                                  \
            send, recv, [&](ConstBuffer s, Buffer r) { return self.i##name given; },                     \
            only_root_sends(#name));                                                                     \
      },                                                                                                 \
      py::arg("send"), py::arg("recv"), ##__VA_ARGS__, NoGil())
#define EH_ARGS(...) , __VA_ARGS__

void bind_collectives(py::class_<Communicator, std::shared_ptr<Communicator>>& c) {
  EH_BIND_PAIR(c, allreduce, EH_ARGS(ReduceOp op), (s, r, op), py::arg("op"));
  EH_BIND_PAIR(c, reduce, EH_ARGS(ReduceOp op, int root), (s, r, op, root), py::arg("op"), py::arg("root"));
  EH_BIND_PAIR(c, allgather, , (s, r));
  EH_BIND_PAIR(c, allgatherv, EH_ARGS(const Counts& counts), (s, r, counts), py::arg("counts"));
  EH_BIND_PAIR(c, gather, EH_ARGS(int root), (s, r, root), py::arg("root"));
  EH_BIND_PAIR(c, gatherv, EH_ARGS(const Counts& counts, int root), (s, r, counts, root), py::arg("counts"),
               py::arg("root"));
  EH_BIND_PAIR(c, scatter, EH_ARGS(int root), (s, r, root), py::arg("root"));
  EH_BIND_PAIR(c, scatterv, EH_ARGS(const Counts& counts, int root), (s, r, counts, root), py::arg("counts"),
               py::arg("root"));
  EH_BIND_PAIR(c, alltoall, , (s, r));
  EH_BIND_PAIR(c, alltoallv, EH_ARGS(const Counts& send_counts, const Counts& recv_counts),
               (s, send_counts, r, recv_counts), py::arg("send_counts"), py::arg("recv_counts"));
  EH_BIND_PAIR(c, reduce_scatter, EH_ARGS(const Counts& counts, ReduceOp op), (s, r, counts, op),
               py::arg("counts"), py::arg("op"));
  EH_BIND_PAIR(c, scan, EH_ARGS(ReduceOp op), (s, r, op), py::arg("op"));
  EH_BIND_PAIR(c, exscan, EH_ARGS(ReduceOp op), (s, r, op), py::arg("op"));
}
#undef EH_BIND_PAIR
#undef EH_ARGS

void bind_messages(py::class_<Communicator, std::shared_ptr<Communicator>>& c) {
  c.def(
      "bcast",
      [](const Communicator& comm, const at::Tensor& t, int root) {
        blocking(std::nullopt, t, [&](ConstBuffer, Buffer b) { comm.bcast(b, root); });
      },
      py::arg("buffer"), py::arg("root"), NoGil());
  c.def(
      "ibcast",
      [](const Communicator& comm, const at::Tensor& t, int root) {
        return started(std::nullopt, t, [&](ConstBuffer, Buffer b) { return comm.ibcast(b, root); });
      },
      py::arg("buffer"), py::arg("root"), NoGil());
  c.def(
      "send",
      [](const Communicator& comm, const at::Tensor& t, int dest, int tag) {
        blocking(t, std::nullopt, [&](ConstBuffer b, Buffer) { comm.send(b, dest, tag); });
      },
      py::arg("buffer"), py::arg("dest"), py::arg("tag") = 0, NoGil());
  c.def(
      "recv",
      [](const Communicator& comm, const at::Tensor& t, int source, int tag) {
        blocking(std::nullopt, t, [&](ConstBuffer, Buffer b) { comm.recv(b, source, tag); });
      },
      py::arg("buffer"), py::arg("source"), py::arg("tag") = 0, NoGil());
  c.def(
      "isend",
      [](const Communicator& comm, const at::Tensor& t, int dest, int tag) {
        return started(t, std::nullopt, [&](ConstBuffer b, Buffer) { return comm.isend(b, dest, tag); });
      },
      py::arg("buffer"), py::arg("dest"), py::arg("tag") = 0, NoGil());
  c.def(
      "irecv",
      [](const Communicator& comm, const at::Tensor& t, int source, int tag) {
        return started(std::nullopt, t, [&](ConstBuffer, Buffer b) { return comm.irecv(b, source, tag); });
      },
      py::arg("buffer"), py::arg("source"), py::arg("tag") = 0, NoGil());
  c.def(
      "sendrecv",
      [](const Communicator& comm, const OptionalTensor& s, int dest, const OptionalTensor& r, int source,
         int tag) {
        blocking(s, r, [&](ConstBuffer out, Buffer in) { comm.sendrecv(out, dest, in, source, tag); });
      },
      py::arg("send"), py::arg("dest"), py::arg("recv"), py::arg("source"), py::arg("tag") = 0, NoGil());
}

void bind_library(py::module_& m) {
  m.def("mpi_library_version", &mpi_library_version);
  m.def("mpi_thread_level", &mpi_thread_level);
  m.def("mpi_initialized", &mpi_initialized);
  m.def("mpi_finalized", &mpi_finalized);
  m.def("mpi_comm_size_of", &mpi_comm_size_of, "sizeof(MPI_Comm) this core was compiled with.");
  m.def("mpi_abort", [](int code) { mpi_abort(code); }, py::arg("code"));
}

}  // namespace

void register_comm(py::module_& m) {
  py::native_enum<ReduceOp>(m, "ReduceOp", "enum.Enum")
      .value("SUM", ReduceOp::Sum)
      .value("PROD", ReduceOp::Prod)
      .value("MIN", ReduceOp::Min)
      .value("MAX", ReduceOp::Max)
      .value("LAND", ReduceOp::LogicalAnd)
      .value("LOR", ReduceOp::LogicalOr)
      .value("LXOR", ReduceOp::LogicalXor)
      .value("BAND", ReduceOp::BitAnd)
      .value("BOR", ReduceOp::BitOr)
      .value("BXOR", ReduceOp::BitXor)
      .finalize();
  py::class_<Operation, OperationPtr>(m, "Request",
                                      "A non-blocking operation and the tensors it reads and fills.")
      .def("wait", &Operation::wait, NoGil(), "Blocks until the tensors may be used. Idempotent.")
      .def(
          "test",
          [](Operation& op) {
            if (!op.request.test()) return false;
            op.wait();
            return true;
          },
          NoGil(), "True once complete; never blocks.");
  py::class_<Communicator, std::shared_ptr<Communicator>> c(m, "Communicator",
                                                            "A duplicated MPI communicator.");
  c.def_static("from_fortran", &Communicator::from_fortran, py::arg("handle"), NoGil())
      .def_static("world", &Communicator::world, NoGil())
      .def_static("self", &Communicator::self, NoGil())
      .def_property_readonly("rank", &Communicator::rank)
      .def_property_readonly("size", &Communicator::size)
      .def_property_readonly("fortran_handle", &Communicator::fortran_handle)
      .def("dup", &Communicator::dup, NoGil())
      .def("split", &Communicator::split, py::arg("color"), py::arg("key"), NoGil())
      .def("barrier", &Communicator::barrier, NoGil());
  bind_collectives(c);
  bind_messages(c);
  bind_library(m);
}

}  // namespace eh
