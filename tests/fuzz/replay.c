/* Runs a fuzz target over the files of a folder: replay FOLDER. */
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/file.h"

#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#define INPUT_MAX_BYTES (1u << 20)

/* In memory of exactly its size, so that a sanitizer sees the first byte read beyond it. */
static void replay_bytes(struct text input) {
    uint8_t *exact = malloc(input.bytes);
    if (input.bytes > 0) {
        memcpy(exact, input.data, input.bytes);
    }
    (void)LLVMFuzzerTestOneInput(exact, input.bytes);
    free(exact);
}

static bool replay_file(const char *folder, const char *name, struct error *error) {
    scoped(buffer_done) struct buffer input = BUFFER_INIT;
    char *path = file_join(folder, name);
    bool is_read = file_read(path, INPUT_MAX_BYTES, &input, error);
    printf("%s\n", path);
    fflush(stdout);
    free(path);
    if (is_read) {
        replay_bytes(buffer_text(&input));
    }
    return is_read;
}

static bool replay_folder(const char *folder, struct error *error) {
    char **names = NULL;
    size_t count = 0;
    if (!file_list(folder, "", &names, &count, error)) {
        return false;
    }
    bool is_ok = count > 0 || error_set(error, ERROR_NOT_FOUND, "%s: no files", folder);
    for (size_t i = 0; i < count && is_ok; i++) {
        is_ok = replay_file(folder, names[i], error);
    }
    file_list_free(&names, count);
    return is_ok;
}

int main(int count, char **arguments) {
    struct error error = {0};
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    if (!replay_folder(arguments[1], &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    return 0;
}
