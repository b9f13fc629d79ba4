# SPDX-License-Identifier: BSD-3-Clause
# _core: the Python extension module.
#
# pybind11 is the copy in torch's include folder: modules exchange registered types (a c10d Store, a Tensor's
# exceptions) only when they share pybind11's internals version, which is 11 in torch 2.13 and 12 in 2.15.

python_add_library(_core MODULE WITH_SOABI ${binding_sources})
# Whole: operators register themselves in static objects nobody refers to.
set(core eh_core)
if(core_sources)
  set(core $<LINK_LIBRARY:WHOLE_ARCHIVE,eh_core>)
endif()
target_link_libraries(_core PRIVATE ${core} torch::python)
eh_options(_core)
eh_unite(_core)
# Conversions of arguments are most of it: a quarter less to compile than -O2, and calls cost the same.
target_compile_options(_core PRIVATE $<$<CONFIG:Release>:-O1>)
eh_precompile(_core <pybind11/pybind11.h> <pybind11/stl.h> <torch/csrc/utils/pybind.h>)
# Only torch is found through RPATH; libequiheat_comm.so is the one that was loaded before (equiheat/_check.py).
set_target_properties(_core PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/../torch/lib"
  INSTALL_RPATH_USE_LINK_PATH OFF)
install(TARGETS _core LIBRARY DESTINATION equiheat)

set(EQUIHEAT_CUDA_COMPILER_VERSION "")
if(EQUIHEAT_CUDA)
  set(EQUIHEAT_CUDA_COMPILER_VERSION ${CMAKE_CUDA_COMPILER_VERSION})
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/_build_info.py.in ${PROJECT_BINARY_DIR}/_build_info.py @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/_build_info.py DESTINATION equiheat)
