# Warnings, hardening and sanitizers: the same for every target.

add_compile_definitions(_GNU_SOURCE RIPOSTE_VERSION="${PROJECT_VERSION}"
                        RIPOSTE_DATE="${RIPOSTE_DATE}")
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes
                    -Wmissing-prototypes -Wformat=2 -Wundef -Werror -fno-strict-aliasing
                    -fno-common -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    add_compile_options(-Wthread-safety)
endif()

if(CMAKE_BUILD_TYPE MATCHES "Rel")
    set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g") # asserts stay on: no NDEBUG
    add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
                        -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
        add_compile_options(-fcf-protection)
    endif()
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    include(CheckPIESupported)
    check_pie_supported(LANGUAGES C)
endif()

if(RIPOSTE_SANITIZE STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                        -fno-omit-frame-pointer -O1)
    add_link_options(-fsanitize=address,undefined)
elseif(RIPOSTE_SANITIZE STREQUAL "thread")
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -O1)
    add_link_options(-fsanitize=thread)
elseif(NOT RIPOSTE_SANITIZE STREQUAL "")
    message(FATAL_ERROR "RIPOSTE_SANITIZE is address, thread or empty, not '${RIPOSTE_SANITIZE}'")
endif()

if(RIPOSTE_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "RIPOSTE_FUZZ needs clang")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
