# Builds the unit tests of the library's layers for another processor and runs them.
# usage: cmake -DSOURCE=FOLDER -DBUILD=FOLDER -DTOOLCHAIN=FILE -P run.cmake
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "failed (the packages of tests/packages.txt are needed): ${ARGN}")
    endif()
endfunction()

run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BUILD}" -G Ninja "-DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN}"
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DRIPOSTE_SERVER=OFF -DRIPOSTE_TESTS=ON)
run("${CMAKE_COMMAND}" --build "${BUILD}" --parallel 2)
run("${CMAKE_CTEST_COMMAND}" --test-dir "${BUILD}" -L unit --no-tests=error --output-on-failure)
