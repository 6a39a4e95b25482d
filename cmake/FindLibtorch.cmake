# Finds libtorch inside the torch wheel and makes the targets Libtorch::c10 and Libtorch::cpu.
#
# The wheel's own CMake package demands a CUDA toolkit even for CPU code, so it is not used. Only
# libc10 and libtorch_cpu are linked; libtorch_cuda is loaded at run time where it is found.
#   LIBTORCH_SITE   the site-packages folder that holds torch/ (default: .venv of this checkout)
file(GLOB _libtorch_candidates "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages")
set(LIBTORCH_SITE "${_libtorch_candidates}" CACHE PATH "site-packages folder that holds torch/")
find_path(LIBTORCH_INCLUDE_DIR NAMES ATen/ATen.h PATHS "${LIBTORCH_SITE}/torch/include" NO_DEFAULT_PATH)
find_library(LIBTORCH_C10 NAMES c10 PATHS "${LIBTORCH_SITE}/torch/lib" NO_DEFAULT_PATH)
find_library(LIBTORCH_CPU NAMES torch_cpu PATHS "${LIBTORCH_SITE}/torch/lib" NO_DEFAULT_PATH)
if(EXISTS "${LIBTORCH_SITE}/torch/version.py")
  file(STRINGS "${LIBTORCH_SITE}/torch/version.py" _libtorch_line REGEX "^__version__")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" Libtorch_VERSION "${_libtorch_line}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS LIBTORCH_CPU LIBTORCH_C10 LIBTORCH_INCLUDE_DIR
  VERSION_VAR Libtorch_VERSION
  REASON_FAILURE_MESSAGE "run scripts/setup, or set LIBTORCH_SITE to a folder that holds torch/")
if(Libtorch_FOUND AND NOT TARGET Libtorch::cpu)
  add_library(Libtorch::c10 SHARED IMPORTED)
  set_target_properties(Libtorch::c10 PROPERTIES IMPORTED_LOCATION "${LIBTORCH_C10}")
  add_library(Libtorch::cpu SHARED IMPORTED)
  set_target_properties(Libtorch::cpu PROPERTIES IMPORTED_LOCATION "${LIBTORCH_CPU}")
  target_include_directories(Libtorch::cpu SYSTEM INTERFACE
    "${LIBTORCH_INCLUDE_DIR}" "${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(Libtorch::cpu INTERFACE Libtorch::c10)
endif()
mark_as_advanced(LIBTORCH_INCLUDE_DIR LIBTORCH_C10 LIBTORCH_CPU)
