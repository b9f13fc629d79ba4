// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The C++ bindings MPI once had would only slow the compilation down.
#define MPICH_SKIP_MPICXX 1
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <utility>

/// The only place that includes <mpi.h>. Included by the .cpp files and internal headers of comm/ alone.
namespace eh {

/// Throws CommError unless `code` is MPI_SUCCESS; names the MPI function found in `call`, the class and MPI's text.
void check_mpi(int code, const char* call);

/// An owned MPI handle: move-only; freed by its destructor unless MPI is finalized by then.
template <typename Handle, typename Traits>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, Traits::null())) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() { reset(); }
  Handle get() const { return handle_; }
  Handle* address() { return &handle_; }
  void reset() {
    int finalized = 0;
    if (handle_ != Traits::null() && MPI_Finalized(&finalized) == MPI_SUCCESS && !finalized)
      Traits::free(&handle_);
    handle_ = Traits::null();
  }

 private:
  Handle handle_ = Traits::null();
};

struct OpTraits {
  static MPI_Op null() { return MPI_OP_NULL; }
  static void free(MPI_Op* op) { MPI_Op_free(op); }
};
struct DatatypeTraits {
  static MPI_Datatype null() { return MPI_DATATYPE_NULL; }
  static void free(MPI_Datatype* type) { MPI_Type_free(type); }
};
using Op = Owned<MPI_Op, OpTraits>;
using Datatype = Owned<MPI_Datatype, DatatypeTraits>;

}  // namespace eh

/// Calls MPI and turns an error code into CommError. Never compiled out.
#define EH_MPI(call) ::eh::check_mpi((call), #call)
