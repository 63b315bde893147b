// sync DIRECTORY BYTES COUNT: what a log on this disk cannot do without. Appends BYTES to a preallocated file and syncs it (fdatasync), COUNT
// times, each on its own: one batch a sync, nobody to share it with. A tenth warms up. Prints one line of JSON.
#define _GNU_SOURCE
#include <unistd.h>

#include "../frames.h"

int main(int count, char **words) {
    if (count != 4 || atol(words[2]) < 1 || atol(words[3]) < 10) {
        fprintf(stderr, "usage: sync DIRECTORY BYTES COUNT\n");
        return 2;
    }
    size_t bytes = (size_t)atol(words[2]);
    long syncs = atol(words[3]), warming = syncs / 10, measured = 0;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/sync.partial", words[1]) >= (int)sizeof path) stop("the directory's name");
    int log = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (log < 0 || fallocate(log, 0, 0, (off_t)(bytes * (size_t)syncs))) stop(path);
    uint8_t *record = malloc(bytes);
    memset(record, 0x5a, bytes);
    uint64_t *taken = calloc((size_t)syncs, sizeof *taken), start = 0;
    for (long i = 0; i < syncs; i++) {
        uint64_t before = nowNanoseconds();
        if (i == warming) start = before;
        if (pwrite(log, record, bytes, (off_t)bytes * i) != (ssize_t)bytes) stop("writing");
        if (fdatasync(log)) stop("syncing");
        if (i >= warming) taken[measured++] = nowNanoseconds() - before;
    }
    double seconds = (double)(nowNanoseconds() - start) / 1e9;
    unlink(path);
    qsort(taken, (size_t)measured, sizeof *taken, ascending);
    printf("{\"bytes\": %zu, \"perSecond\": %.0f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f}\n", bytes,
           (double)measured / seconds, (double)taken[measured / 2] / 1e3, (double)taken[measured * 99 / 100] / 1e3,
           (double)taken[measured * 999 / 1000] / 1e3);
    return 0;
}
