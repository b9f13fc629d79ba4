// SPDX-License-Identifier: BSD-3-Clause
#include "comm/groups.hpp"

#include "base/error.hpp"
#include "comm/arguments.hpp"
#include "comm/impl.hpp"
#include "comm/large.hpp"

namespace eh {
namespace {

MPI_Comm comm_of(int handle) {
  const MPI_Comm comm = MPI_Comm_f2c(handle);
  EH_CHECK(comm != MPI_COMM_NULL, ValueError, "groups: handle ", handle, " is the null communicator");
  return comm;
}

/// Takes `owned` over.
std::shared_ptr<Communicator> polite(MPI_Comm owned) {
  auto impl = std::make_unique<Communicator::Impl>(owned, agree_on_settings(owned));
  impl->polite = true;
  if (impl->node != nullptr) impl->node->be_polite();
  return std::make_shared<Communicator>(std::move(impl));
}

struct Group {
  MPI_Group handle = MPI_GROUP_NULL;
  Group() = default;
  Group(const Group&) = delete;
  ~Group() {
    if (handle != MPI_GROUP_NULL) MPI_Group_free(&handle);
  }
};

}  // namespace

std::shared_ptr<Communicator> polite_copy(const Communicator& comm, int key) {
  MPI_Comm copy = MPI_COMM_NULL;
  EH_MPI(MPI_Comm_split(comm_of(comm.fortran_handle()), 0, key, &copy));
  return polite(copy);
}

std::shared_ptr<Communicator> polite_group(int handle, const std::vector<int>& ranks, int tag) {
  const MPI_Comm parent = comm_of(handle);
  int size = 0;
  EH_MPI(MPI_Comm_size(parent, &size));
  for (const int rank : ranks) check_root("polite_group", rank, size);
  Group whole;
  Group part;
  MPI_Comm comm = MPI_COMM_NULL;
  EH_MPI(MPI_Comm_group(parent, &whole.handle));
  EH_MPI(MPI_Group_incl(whole.handle, static_cast<int>(ranks.size()), ranks.data(), &part.handle));
  EH_MPI(MPI_Comm_create_group(parent, part.handle, tag, &comm));
  EH_CHECK(comm != MPI_COMM_NULL, ValueError, "polite_group: this process is none of the ", ranks.size(),
           " ranks");
  return polite(comm);
}

Request irecv_from_any(const Communicator& comm, Buffer buffer, int tag, const std::shared_ptr<int>& source) {
  check_buffer("irecv_from_any", "buffer", buffer);
  check_tag("irecv_from_any", tag);
  Flight flight(Flight::NonBlocking);
  const Extent all = extent(flight, buffer.count, buffer.dtype);
  const auto blocking = [](auto...) { return MPI_ERR_OTHER; };  // never called
  flight.issue("MPI_Irecv", blocking, EH_LARGE(MPI_Irecv), flight.output(buffer, true), all.count, all.type,
               MPI_ANY_SOURCE, tag, comm_of(comm.fortran_handle()));
  flight.tell_source(source);
  return flight.request();
}

}  // namespace eh
