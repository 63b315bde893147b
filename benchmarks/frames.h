// Frames of docs/protocol.md as the benchmark's programs need them: a file of whole ones, and where each ends.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

enum { HEADER_BYTES = 64 };
enum { KIND_COMPUTE = 7, KIND_ERROR = 19, KIND_GOODBYE = 22 };
enum { FLAG_LAST_OF_ANSWER = 2, OPENING_ANSWERS = 4 };  // welcome, opened, the view's schema, the table's schema

typedef struct {
    uint8_t kind;
    uint16_t flags;
    size_t bytes;  // of the whole frame, padding included
} Frame;

static const uint8_t *file;
static size_t fileBytes;

static void stop(const char *what) {
    fprintf(stderr, "%s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static uint64_t nowNanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static Frame frameAt(const uint8_t *header) {
    uint32_t bodyLength;
    Frame frame = {.kind = header[5]};
    memcpy(&frame.flags, header + 6, sizeof frame.flags);
    memcpy(&bodyLength, header + 8, sizeof bodyLength);
    frame.bytes = HEADER_BYTES + ((size_t)bodyLength + 7) / 8 * 8;
    return frame;
}

// An answer that is none ends the program.
static Frame answerAt(const uint8_t *header) {
    Frame frame = frameAt(header);
    errno = 0;
    if (frame.kind == KIND_ERROR) stop("the server answered with an error");
    if (frame.kind == KIND_GOODBYE) stop("the server said goodbye");
    return frame;
}

static void mapFile(const char *path) {
    int descriptor = open(path, O_RDONLY);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status)) stop(path);
    fileBytes = (size_t)status.st_size;
    file = mmap(NULL, fileBytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (file == MAP_FAILED) stop(path);
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}
