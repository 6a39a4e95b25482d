# Helpers that every folder's CMakeLists.txt uses.

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
find_package(Threads REQUIRED)

# The options that all our code is compiled with. -ffp-contract=off: where a kernel uses a fused
# multiply-add it says so; nothing is fused behind its back, so that every ISA gives equal results.
add_library(litenat_options INTERFACE)
target_include_directories(litenat_options INTERFACE
  "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
target_compile_options(litenat_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wpedantic -ffp-contract=off
  $<$<BOOL:${LITENAT_WERROR}>:-Werror>)
target_link_libraries(litenat_options INTERFACE Threads::Threads)
if(LITENAT_SANITIZE)
  target_compile_options(litenat_options INTERFACE
    -fsanitize=${LITENAT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(litenat_options INTERFACE -fsanitize=${LITENAT_SANITIZE})
endif()

# litenat_find_googletest()
#   Makes GTest::gtest_main and GTest::gmock: the installed package, or in a cross build (there is no package for
#   the target) the sources that Debian's package googletest holds.
macro(litenat_find_googletest)
  if(CMAKE_CROSSCOMPILING)
    set(LITENAT_GOOGLETEST_SOURCES /usr/src/googletest CACHE PATH "GoogleTest's sources, for cross builds")
    if(NOT EXISTS "${LITENAT_GOOGLETEST_SOURCES}/CMakeLists.txt")
      message(FATAL_ERROR "no GoogleTest in LITENAT_GOOGLETEST_SOURCES=${LITENAT_GOOGLETEST_SOURCES}: "
                          "run scripts/setup (package googletest), or set LITENAT_BUILD_TESTS=OFF")
    endif()
    set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
    add_subdirectory("${LITENAT_GOOGLETEST_SOURCES}" "${CMAKE_BINARY_DIR}/googletest" EXCLUDE_FROM_ALL)
    foreach(target IN ITEMS gtest gtest_main gmock)
      if(NOT TARGET GTest::${target})
        add_library(GTest::${target} ALIAS ${target})
      endif()
    endforeach()
  else()
    find_package(GTest REQUIRED)
  endif()
endmacro()

# litenat_module(name [DEPS target...] [EXCLUDE file...])
#   Makes the static library litenat_<name> of every *.cc in this folder (and its sub-folders) that
#   is no test and no benchmark, and the test program <name>_test of every *_test.cc.
function(litenat_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;EXCLUDE;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*.cc")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  foreach(pattern IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${pattern}")
  endforeach()
  if(sources)
    add_library(litenat_${name} STATIC ${sources})
    target_link_libraries(litenat_${name} PUBLIC litenat_options ${ARG_DEPS})
  else()
    add_library(litenat_${name} INTERFACE)
    target_link_libraries(litenat_${name} INTERFACE litenat_options ${ARG_DEPS})
  endif()
  if(LITENAT_BUILD_TESTS AND tests)
    litenat_test(${name}_test SOURCES ${tests} DEPS litenat_${name} ${ARG_TEST_DEPS})
  endif()
endfunction()

# litenat_test(name SOURCES file... DEPS target... [LABELS label...] [ENVIRONMENT var=value...])
#   A GoogleTest program, run as one ctest entry per suite file group. In cross builds it runs
#   under CMAKE_CROSSCOMPILING_EMULATOR.
function(litenat_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS;ENVIRONMENT" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} litenat_options GTest::gtest_main GTest::gmock)
  target_compile_definitions(${name} PRIVATE LITENAT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" ENVIRONMENT "${ARG_ENVIRONMENT}"
    SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\] [1-9][0-9]* test.*\n.*\\[  PASSED  \\] 0 tests")
endfunction()
