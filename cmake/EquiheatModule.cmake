# SPDX-License-Identifier: BSD-3-Clause
# _core: the Python extension module.

if(NOT pybind11_DIR)
  execute_process(COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir
    OUTPUT_VARIABLE pybind11_DIR OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(PYBIND11_FINDPYTHON ON)
find_package(pybind11 3.0 REQUIRED CONFIG)
if(pybind11_VERSION VERSION_GREATER_EQUAL 3.1)
  message(FATAL_ERROR "pybind11 ${pybind11_VERSION}: torch's types cannot cross with it; install pybind11>=3.0,<3.1")
endif()

pybind11_add_module(_core MODULE NO_EXTRAS ${binding_sources})
# pybind11 first: torch carries a copy of its own.
target_include_directories(_core SYSTEM BEFORE PRIVATE ${pybind11_INCLUDE_DIRS})
# Whole: operators register themselves in static objects nobody refers to.
set(core eh_core)
if(core_sources)
  set(core $<LINK_LIBRARY:WHOLE_ARCHIVE,eh_core>)
endif()
target_link_libraries(_core PRIVATE ${core} torch::python)
eh_options(_core)
# Only torch is found through RPATH; MPI is the library mpi4py has loaded.
set_target_properties(_core PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/../torch/lib"
  INSTALL_RPATH_USE_LINK_PATH OFF)
install(TARGETS _core LIBRARY DESTINATION equiheat)

set(EQUIHEAT_CUDA_COMPILER_VERSION "")
if(EQUIHEAT_CUDA)
  set(EQUIHEAT_CUDA_COMPILER_VERSION ${CMAKE_CUDA_COMPILER_VERSION})
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/_build_info.py.in ${PROJECT_BINARY_DIR}/_build_info.py @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/_build_info.py DESTINATION equiheat)
