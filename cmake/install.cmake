# What is installed of the server: cmake --install BUILD --component server; with --component systemd its unit. The
# manual and the completions are made by the binary itself, of the tables that it works by.
include(GNUInstallDirs)

set(ZSH_COMPLETIONS_DIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING "where zsh looks for completions")

install(TARGETS riposte RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT server)

set(riposte_settings "${CMAKE_INSTALL_SYSCONFDIR}/riposte")
install(FILES conf/riposte.json DESTINATION "${riposte_settings}" COMPONENT server)
install(DIRECTORY conf/rules conf/playbooks conf/events DESTINATION "${riposte_settings}" COMPONENT server
        FILES_MATCHING PATTERN "*.json")

# riposte_made(FILE FOLDER ARGUMENT...): what `riposte help ARGUMENT...` prints, installed in FOLDER.
function(riposte_made file folder)
    add_custom_command(OUTPUT "${file}" COMMAND riposte help ${ARGN} > "${file}" DEPENDS riposte
                       COMMENT "Making ${file}")
    set_property(GLOBAL APPEND PROPERTY RIPOSTE_MADE "${CMAKE_BINARY_DIR}/${file}")
    install(FILES "${CMAKE_BINARY_DIR}/${file}" DESTINATION "${folder}" COMPONENT server)
endfunction()

file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/manual" "${CMAKE_BINARY_DIR}/completions")
riposte_made(manual/riposte.1 "${CMAKE_INSTALL_MANDIR}/man1" man)
riposte_made(manual/riposte.json.5 "${CMAKE_INSTALL_MANDIR}/man5" man riposte.json)
riposte_made(completions/riposte "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" completion bash)
riposte_made(completions/_riposte "${ZSH_COMPLETIONS_DIR}" completion zsh)
get_property(riposte_made GLOBAL PROPERTY RIPOSTE_MADE)

set(rules_manual "${CMAKE_BINARY_DIR}/manual/riposte-rules.5")
add_custom_command(OUTPUT "${rules_manual}"
    COMMAND awk -v version=${PROJECT_VERSION} -v date=${RIPOSTE_DATE}
            -f "${CMAKE_SOURCE_DIR}/cmake/manual.awk" "${CMAKE_SOURCE_DIR}/docs/RULES.md" > "${rules_manual}"
    DEPENDS cmake/manual.awk docs/RULES.md COMMENT "Making manual/riposte-rules.5")
install(FILES "${rules_manual}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man5" COMPONENT server)
add_custom_target(manual ALL DEPENDS ${riposte_made} "${rules_manual}")

# The unit names /usr/bin and /etc: those of this installation instead.
file(READ conf/systemd/riposte.service riposte_unit)
string(REPLACE "/usr/bin/" "${CMAKE_INSTALL_FULL_BINDIR}/" riposte_unit "${riposte_unit}")
string(REPLACE "/etc/" "${CMAKE_INSTALL_FULL_SYSCONFDIR}/" riposte_unit "${riposte_unit}")
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/systemd/riposte.service" CONTENT "${riposte_unit}" @ONLY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/conf/systemd/riposte.service")
install(FILES "${CMAKE_BINARY_DIR}/systemd/riposte.service" conf/systemd/riposte.socket
        DESTINATION lib/systemd/system COMPONENT systemd)
install(FILES conf/systemd/riposte.sysusers DESTINATION lib/sysusers.d RENAME riposte.conf COMPONENT systemd)
install(FILES conf/systemd/riposte.tmpfiles DESTINATION lib/tmpfiles.d RENAME riposte.conf COMPONENT systemd)
