// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/dtype.hpp"

/// Typed collectives on raw memory. Knows neither torch nor Python; <mpi.h> stays in the .cpp files.
namespace eh {

class StridedView;  // kernels/pack.hpp

enum class Device : std::uint8_t { Cpu, Cuda };

/// Contiguous memory that is read. Counts are elements of `dtype`, 64-bit.
struct ConstBuffer {
  const void* data;
  std::int64_t count;
  DType dtype;
  Device device = Device::Cpu;
};

inline std::int64_t bytes_of(ConstBuffer buffer) {
  return buffer.count * static_cast<std::int64_t>(size_of(buffer.dtype));
}

/// Contiguous memory that is written.
struct Buffer {
  void* data;
  std::int64_t count;
  DType dtype;
  Device device = Device::Cpu;
  operator ConstBuffer() const { return {data, count, dtype, device}; }
};

enum class ReduceOp : std::uint8_t {
  Sum,
  Prod,
  Min,
  Max,
  LogicalAnd,
  LogicalOr,
  LogicalXor,
  BitAnd,
  BitOr,
  BitXor
};

using Counts = std::vector<std::int64_t>;

/// "Sum", "LogicalAnd".
const char* name_of(ReduceOp op);

/// Arithmetic is defined for every type but Min and Max of complex numbers; logical and bitwise operations for bool
/// and integers. On bool, Sum and Max are "or", Prod and Min are "and". Min and Max of reals give NaN if one is NaN.
bool is_defined(ReduceOp op, DType dtype);

/// Writes x with op(x, y) == y for all y: what a rank without elements contributes.
/// @throws TypeError if the operation is not defined for the type
void fill_identity(Buffer buffer, ReduceOp op);

/// A non-blocking operation in flight. Owns whatever `keep_alive` holds until it is complete.
/// The destructor waits (an abandoned MPI request would write into freed memory) and drops errors: call wait().
class Request {
 public:
  struct Impl;
  Request();
  explicit Request(std::unique_ptr<Impl> impl);
  Request(Request&&) noexcept;
  Request& operator=(Request&&) noexcept;
  ~Request();
  /// Blocks until the buffers may be read and reused. Idempotent.
  void wait();
  /// True once complete; never blocks.
  bool test();
  /// Attaches an object that lives as long as the operation (a tensor, a staging buffer).
  void keep_alive(std::shared_ptr<void> object);

 private:
  std::unique_ptr<Impl> impl_;
};

/// A duplicated MPI communicator. Every collective says so; all of them check the arguments first, release
/// nothing of Python (callers release the GIL), and throw CommError with MPI's text on failure.
///
/// "v" forms take one count per rank, in elements; displacements are the exclusive prefix sums, so parts lie
/// packed one behind another. Except in alltoallv the counts must be the same on every rank, also on those that
/// are not the root. Arguments only the root uses (recv of reduce and gather, send of scatter) are not looked at
/// elsewhere. Empty parts (count 0, null pointer) are fine.
///
/// `recv` may be the memory of `send` (same pointer) in allreduce, reduce, scan, exscan and reduce_scatter (whose
/// result is then the beginning of the input); in the gathers and scatters a rank's part may be its own slot of the
/// whole. Any other overlap is a ValueError.
///
/// Half-precision sums and products are computed in float32 and rounded at each combination of two ranks' values.
/// Memory of Device::Cuda travels through host memory (comm/staging.hpp).
///
/// Communicators are freed with the last reference or when MPI_Finalize begins; used after it they throw CommError.
class Communicator {
 public:
  struct Impl;
  /// Duplicates a communicator given by its Fortran handle (mpi4py's py2f()). Collective.
  static std::shared_ptr<Communicator> from_fortran(int handle);
  /// MPI_COMM_WORLD / MPI_COMM_SELF of this process. Collective / local. @pre MPI is initialised
  static std::shared_ptr<Communicator> world();
  static std::shared_ptr<Communicator> self();
  explicit Communicator(std::unique_ptr<Impl> impl);
  ~Communicator();
  Communicator(const Communicator&) = delete;

  int rank() const;
  int size() const;
  /// Fortran handle of the duplicate, for mpi4py's f2py().
  int fortran_handle() const;
  /// Collective.
  std::shared_ptr<Communicator> dup() const;
  /// Ranks of one color, ordered by key; color < 0 gives a null pointer. Collective.
  std::shared_ptr<Communicator> split(int color, int key) const;

  void barrier() const;                                                                // Collective.
  void allreduce(ConstBuffer send, Buffer recv, ReduceOp op) const;                    // Collective.
  void reduce(ConstBuffer send, Buffer recv, ReduceOp op, int root) const;             // Collective.
  void bcast(Buffer buffer, int root) const;                                           // Collective.
  void allgather(ConstBuffer send, Buffer recv) const;                                 // Collective.
  void allgatherv(ConstBuffer send, Buffer recv, const Counts& counts) const;          // Collective.
  void gather(ConstBuffer send, Buffer recv, int root) const;                          // Collective.
  void gatherv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const;   // Collective.
  void scatter(ConstBuffer send, Buffer recv, int root) const;                         // Collective.
  void scatterv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const;  // Collective.
  void alltoall(ConstBuffer send, Buffer recv) const;                                  // Collective.
  void alltoallv(ConstBuffer send, const Counts& send_counts, Buffer recv, const Counts& recv_counts) const;
  /// Whether its ranks share a node and its memory. The same on all ranks.
  bool shares_memory() const;
  /// alltoallv of strided host memory without a packed copy of it: the views sends[r], one behind another, fill the views
  /// recvs[this rank] of rank r, in pieces that are packed, sent and unpacked at the same time. Entries of the own rank
  /// are not looked at. Collective.
  void alltoallv_views(const std::vector<std::vector<StridedView>>& sends,
                       const std::vector<std::vector<StridedView>>& recvs, DType dtype) const;
  void reduce_scatter(ConstBuffer send, Buffer recv, const Counts& counts, ReduceOp op) const;  // Collective.
  void scan(ConstBuffer send, Buffer recv, ReduceOp op) const;                                  // Collective.
  /// Rank 0 receives the operation's identity. Collective.
  void exscan(ConstBuffer send, Buffer recv, ReduceOp op) const;
  /// dest or source -1 is nobody: such a message is not sent, such a buffer not written.
  void send(ConstBuffer buffer, int dest, int tag = 0) const;
  /// A shorter message leaves the end of the buffer as it was; a longer one is a CommError.
  void recv(Buffer buffer, int source, int tag = 0) const;
  void sendrecv(ConstBuffer send, int dest, Buffer recv, int source, int tag = 0) const;

  [[nodiscard]] Request ibarrier() const;
  [[nodiscard]] Request iallreduce(ConstBuffer send, Buffer recv, ReduceOp op) const;
  [[nodiscard]] Request ireduce(ConstBuffer send, Buffer recv, ReduceOp op, int root) const;
  [[nodiscard]] Request ibcast(Buffer buffer, int root) const;
  [[nodiscard]] Request iallgather(ConstBuffer send, Buffer recv) const;
  [[nodiscard]] Request iallgatherv(ConstBuffer send, Buffer recv, const Counts& counts) const;
  [[nodiscard]] Request igather(ConstBuffer send, Buffer recv, int root) const;
  [[nodiscard]] Request igatherv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const;
  [[nodiscard]] Request iscatter(ConstBuffer send, Buffer recv, int root) const;
  [[nodiscard]] Request iscatterv(ConstBuffer send, Buffer recv, const Counts& counts, int root) const;
  [[nodiscard]] Request ialltoall(ConstBuffer send, Buffer recv) const;
  [[nodiscard]] Request ialltoallv(ConstBuffer send, const Counts& send_counts, Buffer recv,
                                   const Counts& recv_counts) const;
  [[nodiscard]] Request ireduce_scatter(ConstBuffer send, Buffer recv, const Counts& counts,
                                        ReduceOp op) const;
  [[nodiscard]] Request iscan(ConstBuffer send, Buffer recv, ReduceOp op) const;
  [[nodiscard]] Request iexscan(ConstBuffer send, Buffer recv, ReduceOp op) const;
  [[nodiscard]] Request isend(ConstBuffer buffer, int dest, int tag = 0) const;
  [[nodiscard]] Request irecv(Buffer buffer, int source, int tag = 0) const;

 private:
  friend class ViewExchange;
  std::unique_ptr<Impl> impl_;
};

/// MPI_Get_library_version of the library this core is linked to, e.g. "MPICH Version: 5.0.2 ...".
std::string mpi_library_version();
/// "single", "funneled", "serialized" or "multiple".
std::string mpi_thread_level();
bool mpi_initialized();
bool mpi_finalized();
/// sizeof(MPI_Comm) this core was compiled with: 4 in the MPICH family, 8 in Open MPI.
int mpi_comm_size_of();
/// MPI_Abort on the world communicator.
[[noreturn]] void mpi_abort(int code);

}  // namespace eh
