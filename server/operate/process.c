#include "process.h"

#include "riposte/base/buffer.h"
#include "riposte/base/clock.h"
#include "riposte/base/file.h"
#include "riposte/observe/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#define STATM_BYTES 256

static pthread_once_t register_once = PTHREAD_ONCE_INIT;
static int64_t began_unix_ms;
static int64_t began_mono_ms;

/* One number of /proc/self/statm: "SIZE RESIDENT ...", in pages. */
static int64_t statm_bytes(unsigned index) {
    scoped(buffer_done) struct buffer statm = BUFFER_INIT;
    struct error error = {0};
    struct text part = {NULL, 0};
    uint64_t pages = 0;
    if (!file_read("/proc/self/statm", STATM_BYTES, &statm, &error)) {
        return 0;
    }
    struct text rest = buffer_text(&statm);
    bool is_read = text_next_part(&rest, ' ', &part);
    for (unsigned i = 0; is_read && i < index; i++) {
        is_read = text_next_part(&rest, ' ', &part);
    }
    is_read = is_read && text_parse_unsigned(part, &pages);
    return is_read ? (int64_t)pages * sysconf(_SC_PAGESIZE) : 0;
}

static int64_t virtual_bytes(void) {
    return statm_bytes(0);
}

int64_t process_resident_bytes(void) {
    return statm_bytes(1);
}

static int64_t cpu_us(void) {
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * INT64_C(1000000) +
           used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static int64_t most_files(void) {
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    return (int64_t)limit.rlim_cur;
}

static int64_t open_files(void) {
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = 0;
    if (folder == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count - 1; /* without the folder itself */
}

int64_t process_started_unix_ms(void) {
    return began_unix_ms;
}

static int64_t start_seconds(void) {
    return began_unix_ms / 1000;
}

int64_t process_uptime_s(void) {
    return (clock_mono_ms(&clock_system) - began_mono_ms) / 1000;
}

enum {
    METRIC_RESIDENT,
    METRIC_VIRTUAL,
    METRIC_CPU,
    METRIC_FILES,
    METRIC_FILES_MOST,
    METRIC_START,
    METRIC_UPTIME,
    METRIC_BUILD,
    METRIC_READY,
    METRIC_DAMAGED,
    METRIC_COMMITS,
    METRIC_REQUESTS,
    METRIC_FAILED,
    METRIC_QUEUED,
    METRIC_NOT_ADMITTED,
    METRIC_OPEN,
    METRIC_DUE,
    METRIC_KEPT,
    METRIC_OLDEST_DUE,
    METRIC_FAILING_LANES,
    METRIC_COUNT,
};

static struct metric metrics[METRIC_COUNT] = {
    [METRIC_RESIDENT] = {.name = "process_resident_memory_bytes",
                         .help = "Resident memory.",
                         .unit = "bytes",
                         .type = METRIC_GAUGE,
                         .read_fn = process_resident_bytes},
    [METRIC_VIRTUAL] = {.name = "process_virtual_memory_bytes",
                        .help = "Virtual memory.",
                        .unit = "bytes",
                        .type = METRIC_GAUGE,
                        .read_fn = virtual_bytes},
    [METRIC_CPU] = {.name = "process_cpu_seconds_total",
                    .help = "CPU time, of the process and the kernel for it.",
                    .unit = "seconds",
                    .type = METRIC_COUNTER,
                    .read_fn = cpu_us,
                    .divisor = 1000000},
    [METRIC_FILES_MOST] = {.name = "process_max_fds",
                           .help = "File descriptors that it may open.",
                           .type = METRIC_GAUGE,
                           .read_fn = most_files},
    [METRIC_FILES] = {.name = "process_open_fds",
                      .help = "Open file descriptors.",
                      .type = METRIC_GAUGE,
                      .read_fn = open_files},
    [METRIC_START] = {.name = "process_start_time_seconds",
                      .help = "When the process started, since 1970.",
                      .unit = "seconds",
                      .type = METRIC_GAUGE,
                      .read_fn = start_seconds},
    [METRIC_UPTIME] = {.name = "riposte_uptime_seconds",
                       .help = "How long the process runs.",
                       .unit = "seconds",
                       .type = METRIC_GAUGE,
                       .read_fn = process_uptime_s},
    [METRIC_BUILD] = {.name = "riposte_build_info",
                      .help = "1, with the version that runs.",
                      .type = METRIC_GAUGE,
                      .labels = {"version"}},
    [METRIC_READY] = {.name = "riposte_journal_ready",
                      .help = "1 when the journal could commit when last tried.",
                      .type = METRIC_GAUGE},
    [METRIC_DAMAGED] = {.name = "riposte_journal_damaged",
                        .help = "1 when the journal's file is damaged: see 'riposte help journal'.",
                        .type = METRIC_GAUGE},
    [METRIC_COMMITS] = {.name = "riposte_journal_commits_total",
                        .help = "Transactions committed.",
                        .type = METRIC_COUNTER},
    [METRIC_REQUESTS] = {.name = "riposte_journal_requests_total",
                         .help = "Requests in them.",
                         .type = METRIC_COUNTER},
    [METRIC_FAILED] = {.name = "riposte_journal_failed_commits_total",
                       .help = "Transactions that could not be committed.",
                       .type = METRIC_COUNTER},
    [METRIC_QUEUED] = {.name = "riposte_journal_queued_requests",
                       .help = "Requests that wait for the journal now.",
                       .type = METRIC_GAUGE},
    [METRIC_NOT_ADMITTED] = {.name = "riposte_respond_tasks_not_admitted",
                             .help =
                                 "Incidents that wait for their verdict; queue_limit bounds it.",
                             .type = METRIC_GAUGE},
    [METRIC_OPEN] = {.name = "riposte_tasks_open",
                     .help = "Tasks that are not done: due, due later, or being worked on.",
                     .type = METRIC_GAUGE},
    [METRIC_KEPT] = {.name = "riposte_incidents_kept",
                     .help = "Incidents in the journal, by the state that they are in now.",
                     .type = METRIC_GAUGE,
                     .labels = {"state"}},
    [METRIC_DUE] = {.name = "riposte_tasks_due",
                    .help = "Tasks that are due and wait for a worker.",
                    .type = METRIC_GAUGE},
    [METRIC_OLDEST_DUE] = {.name = "riposte_tasks_late_seconds",
                           .help = "How late the task is that waits longest for a worker.",
                           .unit = "seconds",
                           .type = METRIC_GAUGE,
                           .divisor = 1000},
    [METRIC_FAILING_LANES] = {.name = "riposte_lanes_failing",
                              .help = "Endpoints (an account's service, a webhook's host) that "
                                      "tasks wait for and that give no answer.",
                              .type = METRIC_GAUGE},
};

static void register_all(void) {
    began_unix_ms = clock_unix_ms(&clock_system);
    began_mono_ms = clock_mono_ms(&clock_system);
    metrics_register(metrics, METRIC_COUNT);
    metric_set(&metrics[METRIC_BUILD], 1, METRIC_LABELS(TEXT(RIPOSTE_VERSION)));
}

void process_register(void) {
    pthread_once(&register_once, register_all);
}

/* The journal counts since it was opened. */
static void count_up_to(struct metric *counter, uint64_t value) {
    uint64_t before = (uint64_t)metric_value(counter, NULL);
    if (value > before) {
        metric_add(counter, value - before, NULL);
    }
}

void process_measure(struct journal *journal) {
    struct journal_numbers numbers = {0};
    journal_numbers(journal, &numbers);
    metric_set(&metrics[METRIC_READY], journal_is_ready(journal), NULL);
    metric_set(&metrics[METRIC_DAMAGED], numbers.is_damaged, NULL);
    count_up_to(&metrics[METRIC_COMMITS], numbers.commits);
    count_up_to(&metrics[METRIC_REQUESTS], numbers.requests);
    count_up_to(&metrics[METRIC_FAILED], numbers.failed_commits);
    metric_set(&metrics[METRIC_QUEUED], (int64_t)numbers.queued, NULL);
    metric_set(&metrics[METRIC_NOT_ADMITTED], (int64_t)numbers.not_admitted, NULL);
    metric_set(&metrics[METRIC_OPEN], (int64_t)numbers.open_tasks, NULL);
    metric_set(&metrics[METRIC_DUE], (int64_t)numbers.due_tasks, NULL);
    metric_set(&metrics[METRIC_OLDEST_DUE], numbers.oldest_due_ms, NULL);
    metric_set(&metrics[METRIC_FAILING_LANES], (int64_t)numbers.failing_lanes, NULL);
}

void process_measure_incidents(const struct journal_census *census) {
    for (size_t i = 0; i < INCIDENT_STATES; i++) {
        metric_set(&metrics[METRIC_KEPT], (int64_t)census->by_state[i],
                   METRIC_LABELS(text_of(incident_state_name((enum incident_state)i))));
    }
}
