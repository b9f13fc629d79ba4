# SPDX-License-Identifier: BSD-3-Clause
# comm/ is a shared library, compiled once per ABI family of MPI: equiheat/_comm/<family>/libequiheat_comm.so. All have
# one soname and one interface (no type of <mpi.h> in it), so _core is linked to any of them and to no MPI; Python loads
# the one that belongs to mpi4py's MPI before _core, whose dependency is then satisfied.

# What comm/ is built from, for one MPI; `kind` is SHARED, STATIC or OBJECT.
function(eh_comm_library target kind mpi)
  get_property(sources GLOBAL PROPERTY eh_comm_sources)
  add_library(${target} ${kind} ${sources})
  target_link_libraries(${target} PUBLIC eh_base eh_kernels PRIVATE ${mpi})
  eh_options(${target})
  eh_unite(${target})
endfunction()

function(eh_comm_variant family)
  set(target eh_comm_${family})
  eh_comm_library(${target} SHARED eh::mpi_${family})
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  # No RPATH: the MPI library is the one that mpi4py has loaded.
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME equiheat_comm LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/comm/${family}
    CXX_VISIBILITY_PRESET default BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "" INSTALL_RPATH_USE_LINK_PATH OFF)
  install(TARGETS ${target} LIBRARY DESTINATION equiheat/_comm/${family})
endfunction()

foreach(family IN LISTS EQUIHEAT_MPI_FAMILIES)
  eh_comm_variant(${family})
endforeach()
add_library(eh_comm ALIAS eh_comm_${EQUIHEAT_MPI_FAMILY})
