# LibTorch 2.6 or newer, the first that is found of: CMAKE_PREFIX_PATH or Torch_DIR; a system package that is new enough;
# what installer/bootstrap.sh unpacked into the cache. Gives retort_torch: torch_cpu and c10 with an rpath, headers as system headers.
include_guard()

set(RETORT_CACHE_DIR "$ENV{RETORT_CACHE_DIR}" CACHE PATH "Where installer/bootstrap.sh keeps LibTorch")
if(NOT RETORT_CACHE_DIR)
    if(DEFINED ENV{XDG_CACHE_HOME})
        set(RETORT_CACHE_DIR "$ENV{XDG_CACHE_HOME}/retort-build" CACHE PATH "" FORCE)
    else()
        set(RETORT_CACHE_DIR "$ENV{HOME}/.cache/retort-build" CACHE PATH "" FORCE)
    endif()
endif()

# Debian 12's own package is 1.13: half the speed and without the functions used here, so a version is asked for before it is taken.
find_package(Torch 2.6 QUIET PATHS "${RETORT_CACHE_DIR}/libtorch/torch" NO_CMAKE_SYSTEM_PATH)
if(NOT Torch_FOUND)
    find_package(Torch 2.6 QUIET)
endif()
if(NOT Torch_FOUND)
    message(FATAL_ERROR "LibTorch 2.6 or newer was not found (looked in CMAKE_PREFIX_PATH, the system and ${RETORT_CACHE_DIR}/libtorch). "
                        "Run ./installer/bootstrap.sh deps, which brings it, or set Torch_DIR.")
endif()
get_filename_component(RETORT_TORCH_LIB_DIR "${TORCH_LIBRARY}" DIRECTORY)
message(STATUS "LibTorch ${Torch_VERSION} from ${RETORT_TORCH_LIB_DIR}")

add_library(retort_torch INTERFACE)
target_include_directories(retort_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
# --no-as-needed: the kernels of torch_cpu register themselves and no symbol of theirs is named here.
target_link_libraries(retort_torch INTERFACE -Wl,--no-as-needed "${RETORT_TORCH_LIB_DIR}/libtorch_cpu.so" "${RETORT_TORCH_LIB_DIR}/libc10.so" -Wl,--as-needed)
# DT_RPATH, not DT_RUNPATH: libtorch's own dependencies must come from its folder too, never from an older system copy.
target_link_options(retort_torch INTERFACE "-Wl,--disable-new-dtags,-rpath,${RETORT_TORCH_LIB_DIR}")
