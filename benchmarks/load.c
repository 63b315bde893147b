// load PORT FRAMES IN_FLIGHT: sends the frames of a file to a Millrace server on this machine and times the answers.
//
// The file (written by encode.py) holds whole frames as docs/protocol.md has them: first what opens the stream, then compute
// frames. Nothing is encoded or decoded here but frame headers, so that what is measured is the server. At most IN_FLIGHT requests
// are under way. Prints one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

enum { RECEIVE_BYTES = 1 << 20 };

static int server;

static void connectTo(int port) {
    int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || connect(server, (void *)&address, sizeof address)) stop("connecting");
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(server, F_SETFL, O_NONBLOCK);
}

// Received bytes are looked at frame by frame; of a body only its length matters.
static uint8_t received[RECEIVE_BYTES];
static uint8_t header[HEADER_BYTES];
static size_t headerBytes, bodyBytesToSkip;
static long answers, frames;

static void frameArrived(void) {
    Frame frame = answerAt(header);
    frames++;
    if (frame.flags & FLAG_LAST_OF_ANSWER) answers++;
    headerBytes = 0;
    bodyBytesToSkip = frame.bytes - HEADER_BYTES;
}

static void bytesArrived(size_t count) {
    for (size_t at = 0; at < count;) {
        size_t left = count - at;
        if (bodyBytesToSkip) {
            size_t skipped = left < bodyBytesToSkip ? left : bodyBytesToSkip;
            bodyBytesToSkip -= skipped, at += skipped;
            continue;
        }
        size_t wanted = HEADER_BYTES - headerBytes, taken = left < wanted ? left : wanted;
        memcpy(header + headerBytes, received + at, taken);
        headerBytes += taken, at += taken;
        if (headerBytes == HEADER_BYTES) frameArrived();
    }
}

// Sends bytes [*from, to) as far as they go, takes what has arrived, and sleeps if there was neither.
static void exchange(size_t *from, size_t to) {
    int idle = 1;
    if (*from < to) {
        ssize_t sent = write(server, file + *from, to - *from);
        if (sent < 0 && errno != EAGAIN) stop("sending");
        if (sent > 0) *from += (size_t)sent, idle = 0;
    }
    ssize_t count = read(server, received, sizeof received);
    if (count == 0) errno = 0, stop("the server closed the connection");
    if (count < 0 && errno != EAGAIN) stop("receiving");
    if (count > 0) bytesArrived((size_t)count), idle = 0;
    if (idle) {
        struct pollfd wait = {.fd = server, .events = (short)(POLLIN | (*from < to ? POLLOUT : 0))};
        poll(&wait, 1, -1);
    }
}

int main(int count, char **words) {
    if (count != 4) {
        fprintf(stderr, "usage: load PORT FRAMES IN_FLIGHT\n");
        return 2;
    }
    mapFile(words[2]);
    connectTo(atoi(words[1]));
    long inFlightMax = atol(words[3]);

    size_t sent = 0, allowed = 0;
    while (frameAt(file + allowed).kind != KIND_COMPUTE) allowed += frameAt(file + allowed).bytes;
    while (frames < OPENING_ANSWERS) exchange(&sent, allowed);

    long batches = 0;
    for (size_t at = allowed; at < fileBytes; at += frameAt(file + at).bytes) batches++;
    uint64_t *sentAt = calloc((size_t)batches, sizeof *sentAt), *taken = calloc((size_t)batches, sizeof *taken);
    answers = 0;
    long offered = 0, timed = 0;
    uint64_t start = nowNanoseconds();
    while (answers < batches) {
        while (offered < batches && offered - answers < inFlightMax) {
            allowed += frameAt(file + allowed).bytes;
            sentAt[offered++] = nowNanoseconds();
        }
        exchange(&sent, allowed);
        for (uint64_t now = timed < answers ? nowNanoseconds() : 0; timed < answers; timed++) taken[timed] = now - sentAt[timed];
    }
    double seconds = (double)(nowNanoseconds() - start) / 1e9;

    qsort(taken, (size_t)batches, sizeof *taken, ascending);
    printf("{\"batches\": %ld, \"seconds\": %.6f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n", batches, seconds,
           (double)taken[batches / 2] / 1e3, (double)taken[batches * 99 / 100] / 1e3);
    return 0;
}
