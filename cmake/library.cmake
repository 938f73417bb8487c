# libriposte-detect: the matcher on its own, static and shared, out of base, json and detect. It needs
# libc and nothing else.
#
# Both libraries are made of one object: what the exported functions (cmake/library/symbols.txt) need
# of the three layers, linked together, with every other name made local. Exported names get the
# prefix riposte_, so that they meet nobody else's; the installed headers say so with #define, as
# zlib's do with Z_PREFIX, and programs write the names as they stand in the headers.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(library_headers
    base/attributes.h base/error.h base/text.h base/buffer.h base/arena.h json/scanner.h json/tree.h
    detect/pattern.h detect/complexity.h detect/ruleset.h detect/version.h)
set(library_source "${CMAKE_SOURCE_DIR}/cmake/library")
set(library_build "${CMAKE_BINARY_DIR}/library")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${library_source}/symbols.txt")

# ---- names ----

file(STRINGS "${library_source}/symbols.txt" library_names REGEX "^[a-z]")
set(names_header "/* The names of the library's functions as the linker sees them. */\n#ifndef RIPOSTE_NAMES_H\n")
string(APPEND names_header "#define RIPOSTE_NAMES_H\n\n")
foreach(name ${library_names})
    set(exported riposte_${name})
    if(name STREQUAL "detect_version") # has its prefix in the source already
        set(name ${exported})
    else()
        string(APPEND names_header "#define ${name} ${exported}\n")
        string(APPEND names_prefixed "${name} ${exported}\n")
    endif()
    string(APPEND names_wanted "--undefined=${name}\n")
    string(APPEND names_exported "${exported}\n")
    string(APPEND names_versioned "        ${exported};\n")
endforeach()
file(CONFIGURE OUTPUT "${library_build}/include/riposte/names.h" CONTENT "${names_header}\n#endif\n" @ONLY)
file(CONFIGURE OUTPUT "${library_build}/wanted" CONTENT "${names_wanted}" @ONLY)
file(CONFIGURE OUTPUT "${library_build}/prefixed" CONTENT "${names_prefixed}" @ONLY)
file(CONFIGURE OUTPUT "${library_build}/exported" CONTENT "${names_exported}" @ONLY)
file(CONFIGURE OUTPUT "${library_build}/versions" @ONLY
     CONTENT "RIPOSTE_DETECT_${PROJECT_VERSION_MAJOR} {\n    global:\n${names_versioned}    local:\n        *;\n};\n")

# The contracts, with the names included behind the include guard.
foreach(header ${library_headers})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/include/riposte/${header}")
    file(READ "${CMAKE_SOURCE_DIR}/include/riposte/${header}" text)
    string(REGEX REPLACE "(\n#define RIPOSTE_[A-Z_]*_H\n)" "\\1\n#include \"riposte/names.h\"\n" text "${text}")
    file(CONFIGURE OUTPUT "${library_build}/include/riposte/${header}" CONTENT "${text}" @ONLY)
endforeach()

# ---- the libraries ----

set(library_object "${library_build}/riposte-detect.o")
add_custom_command(
    OUTPUT "${library_object}"
    COMMAND "${CMAKE_LINKER}" -r -o "${library_object}" "@${library_build}/wanted" --start-group
            "$<TARGET_FILE:riposte_detect>" "$<TARGET_FILE:riposte_json>" "$<TARGET_FILE:riposte_base>" --end-group
    COMMAND "${CMAKE_OBJCOPY}" "--redefine-syms=${library_build}/prefixed" "${library_object}"
    COMMAND "${CMAKE_OBJCOPY}" "--keep-global-symbols=${library_build}/exported" "${library_object}"
    DEPENDS riposte_detect riposte_json riposte_base "${library_build}/wanted" "${library_build}/prefixed"
            "${library_build}/exported"
    COMMENT "Linking riposte-detect.o" VERBATIM)
add_custom_target(riposte-detect-object DEPENDS "${library_object}")

add_library(riposte-detect SHARED "${library_object}")
target_link_options(riposte-detect PRIVATE "-Wl,--version-script=${library_build}/versions" -Wl,--no-undefined
                    -Wl,--as-needed)
set_target_properties(riposte-detect PROPERTIES
    EXPORT_NAME detect VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}"
    LINK_DEPENDS "${library_build}/versions")
add_library(riposte-detect-static STATIC "${library_object}")
set_target_properties(riposte-detect-static PROPERTIES EXPORT_NAME detect-static OUTPUT_NAME riposte-detect)
foreach(library riposte-detect riposte-detect-static)
    set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C
        ARCHIVE_OUTPUT_DIRECTORY "${library_build}" LIBRARY_OUTPUT_DIRECTORY "${library_build}")
    target_include_directories(${library} INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    add_dependencies(${library} riposte-detect-object)
endforeach()

# ---- what is installed: cmake --install BUILD --component detect ----

# Both find their files from where they stand themselves: an installed tree may be moved.
file(RELATIVE_PATH library_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${library_source}/riposte-detect.pc.in" "${library_build}/riposte-detect.pc" @ONLY)
set(library_cmake "${CMAKE_INSTALL_LIBDIR}/cmake/riposte-detect")
configure_package_config_file("${library_source}/riposte-detect-config.cmake.in"
    "${library_build}/riposte-detect-config.cmake" INSTALL_DESTINATION "${library_cmake}")
write_basic_package_version_file("${library_build}/riposte-detect-config-version.cmake"
    COMPATIBILITY SameMinorVersion)

install(TARGETS riposte-detect riposte-detect-static EXPORT riposte-detect-targets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT detect NAMELINK_COMPONENT detect
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT detect)
install(DIRECTORY "${library_build}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT detect)
install(FILES "${library_build}/riposte-detect.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT detect)
install(FILES "${library_build}/riposte-detect-config.cmake" "${library_build}/riposte-detect-config-version.cmake"
    DESTINATION "${library_cmake}" COMPONENT detect)
install(EXPORT riposte-detect-targets NAMESPACE riposte:: DESTINATION "${library_cmake}" COMPONENT detect)
install(FILES docs/library.md docs/match-example.c DESTINATION "${CMAKE_INSTALL_DOCDIR}-detect" COMPONENT detect)
