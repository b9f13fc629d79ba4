# SPDX-License-Identifier: BSD-3-Clause
# What makes a clean build short: precompiled headers and files compiled several at a time.
#
# Headers of torch and pybind11 are most of the cost of a small file: `ATen/core/Tensor.h` alone takes 4 s. AUTO: off where ccache is, which does the same better (it works across build folders) and cannot cache files that
# use precompiled headers unless it is told to be lenient.
#
# EQUIHEAT_UNITY halves what is left, as the same templates are then instantiated once per six files; a change of one
# file compiles six, so it is for wheels (pyproject.toml), not for development. Files of a folder share a namespace
# then, unnamed parts included: a name may be defined once per folder.

set(EQUIHEAT_PRECOMPILE AUTO CACHE STRING "Precompiled headers: AUTO (where there is no ccache), ON, OFF")
set_property(CACHE EQUIHEAT_PRECOMPILE PROPERTY STRINGS AUTO ON OFF)
set(EQUIHEAT_PRECOMPILED ${EQUIHEAT_PRECOMPILE})
if(EQUIHEAT_PRECOMPILE STREQUAL AUTO)
  set(EQUIHEAT_PRECOMPILED ON)
  if(CCACHE)
    set(EQUIHEAT_PRECOMPILED OFF)
  endif()
endif()

option(EQUIHEAT_UNITY "Compile six files as one" OFF)

# eh_precompile(target <header>...): what most files of the target include first.
function(eh_precompile target)
  if(EQUIHEAT_PRECOMPILED AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# eh_unite(target): compiles six files as one, those with options of their own apart.
function(eh_unite target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${EQUIHEAT_UNITY} UNITY_BUILD_BATCH_SIZE 6)
endfunction()
