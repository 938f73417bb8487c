# Files that are part of the program.
#
#     riposte_embed(TARGET NAME FILE)   adds `const unsigned char NAME[]` and `const size_t NAME_bytes`
#
# As a script (-P, with SOURCE, NAME and OUTPUT) it writes the C file.
if(CMAKE_SCRIPT_MODE_FILE)
    file(READ "${SOURCE}" digits HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${digits}")
    string(REGEX REPLACE "((0x..,){20})" "\\1\n" bytes "${bytes}")
    file(WRITE "${OUTPUT}" "#include <stddef.h>\n\nextern const unsigned char ${NAME}[];\n"
         "extern const size_t ${NAME}_bytes;\n\nconst unsigned char ${NAME}[] = {\n${bytes}\n};\n"
         "const size_t ${NAME}_bytes = sizeof(${NAME});\n")
    return()
endif()

set(RIPOSTE_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

function(riposte_embed target name file)
    set(source "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
    set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.c")
    add_custom_command(OUTPUT "${output}"
        COMMAND "${CMAKE_COMMAND}" -D "SOURCE=${source}" -D "NAME=${name}" -D "OUTPUT=${output}"
                -P "${RIPOSTE_EMBED_SCRIPT}"
        DEPENDS "${source}" "${RIPOSTE_EMBED_SCRIPT}" COMMENT "Embedding ${file}" VERBATIM)
    target_sources(${target} PRIVATE "${output}")
endfunction()
