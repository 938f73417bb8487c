// scan_bench.c with simdjson's DOM parser, which also validates everything: simdjson_bench SECONDS FILE...
// Built by matcher.py alone, where libsimdjson-dev is installed.
#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

static const size_t batch_bytes = 4 * 1024 * 1024; // as in scan_bench.c

static double cpu_seconds() {
    timespec now = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

struct texts {
    std::vector<simdjson::padded_string> files; // padding once a file: what a text reads ahead is there
    std::vector<std::string_view> items;
    size_t bytes = 0;

    void add(std::string_view text) {
        if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) {
            items.push_back(text);
            bytes += text.size();
        }
    }

    void add_file(const std::string &path) {
        files.push_back(simdjson::padded_string::load(path).value());
        std::string_view rest = files.back();
        if (path.size() < 6 || path.compare(path.size() - 6, 6, ".jsonl") != 0) {
            add(rest);
            return;
        }
        while (!rest.empty()) {
            size_t end = rest.find('\n');
            add(rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
    }
};

static bool run_pass(simdjson::dom::parser &parser, const texts &texts) {
    for (std::string_view text : texts.items) {
        if (parser.parse(text.data(), text.size(), false).error() != simdjson::SUCCESS) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    texts texts;
    simdjson::dom::parser parser;
    if (argc < 3) {
        return 2;
    }
    texts.files.reserve(size_t(argc));
    for (int i = 2; i < argc; i++) {
        texts.add_file(argv[i]);
    }
    bool is_good = run_pass(parser, texts);
    size_t passes = 0, batch = batch_bytes / (texts.bytes + 1) + 1;
    double start = cpu_seconds(), seconds = 0;
    while (is_good && (passes == 0 || seconds < std::strtod(argv[1], nullptr))) {
        for (size_t i = 0; i < batch && is_good; i++, passes++) {
            is_good = run_pass(parser, texts);
        }
        seconds = cpu_seconds() - start;
    }
    std::printf("{\"texts\":%zu,\"bytes\":%zu,\"cpu_seconds\":%.6f,\"kernel\":\"%s\"}\n",
                texts.items.size() * passes, texts.bytes * passes, seconds,
                simdjson::get_active_implementation()->name().c_str());
    return is_good ? 0 : 1;
}
