# SPDX-License-Identifier: BSD-3-Clause
# Precompiled headers of torch and pybind11, most of the cost of a small file: `ATen/core/Tensor.h` alone takes 4 s.
#
# AUTO: off where ccache is, which does the same better (it works across build folders) and cannot cache files that
# use precompiled headers unless it is told to be lenient.

set(EQUIHEAT_PRECOMPILE AUTO CACHE STRING "Precompiled headers: AUTO (where there is no ccache), ON, OFF")
set_property(CACHE EQUIHEAT_PRECOMPILE PROPERTY STRINGS AUTO ON OFF)
set(EQUIHEAT_PRECOMPILED ${EQUIHEAT_PRECOMPILE})
if(EQUIHEAT_PRECOMPILE STREQUAL AUTO)
  set(EQUIHEAT_PRECOMPILED ON)
  if(CCACHE)
    set(EQUIHEAT_PRECOMPILED OFF)
  endif()
endif()

# eh_precompile(target <header>...): what most files of the target include first.
function(eh_precompile target)
  if(EQUIHEAT_PRECOMPILED AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()
