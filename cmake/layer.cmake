# A layer is a folder of server/ with its contracts in include/riposte/: a static library
# riposte_NAME that links only what it may include. tests/lint/layers.txt says the same of #include.
# Without RIPOSTE_SERVER there are only the layers of the library.
function(riposte_layer name)
    if(NOT RIPOSTE_SERVER AND NOT name MATCHES "^(base|json|detect)$")
        return()
    endif()
    cmake_parse_arguments(layer "" "" "LAYERS;LIBRARIES;SOURCES" ${ARGN})
    list(TRANSFORM layer_SOURCES PREPEND "${CMAKE_SOURCE_DIR}/server/${name}/")
    add_library(riposte_${name} STATIC ${layer_SOURCES})
    target_include_directories(riposte_${name} PUBLIC "${CMAKE_SOURCE_DIR}/include")
    list(TRANSFORM layer_LAYERS PREPEND riposte_)
    target_link_libraries(riposte_${name} PUBLIC ${layer_LAYERS} PRIVATE ${layer_LIBRARIES})
endfunction()

# Unit tests of one layer: tests/unit/LAYER/NAME_test.c, one executable and one ctest each.
# Each runs in the source folder, so that a test names its data "tests/...".
function(riposte_unit layer)
    foreach(name ${ARGN})
        add_executable(unit_${layer}_${name} "${CMAKE_SOURCE_DIR}/tests/unit/${layer}/${name}_test.c")
        target_link_libraries(unit_${layer}_${name} PRIVATE riposte_${layer} PkgConfig::CMOCKA)
        target_include_directories(unit_${layer}_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/support")
        add_test(NAME unit.${layer}.${name} COMMAND unit_${layer}_${name}
                 WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
        set_tests_properties(unit.${layer}.${name} PROPERTIES LABELS unit TIMEOUT 300)
    endforeach()
endfunction()

# A fuzz target of one layer: tests/fuzz/NAME_fuzz.c. With RIPOSTE_FUZZ it is linked with libFuzzer
# (fuzz_NAME [options] FOLDER...); in every other build with replay.c. Either way ctest runs the files of
# tests/fuzz/corpus/NAME through it.
function(riposte_fuzz name layer)
    add_executable(fuzz_${name} "${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.c")
    target_link_libraries(fuzz_${name} PRIVATE riposte_${layer})
    target_include_directories(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/support")
    set(corpus "tests/fuzz/corpus/${name}")
    if(RIPOSTE_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        add_test(NAME fuzz.${name} COMMAND fuzz_${name} -runs=0 "${corpus}")
    else()
        target_sources(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c")
        add_test(NAME fuzz.${name} COMMAND fuzz_${name} "${corpus}")
    endif()
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 60
                         WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
endfunction()
