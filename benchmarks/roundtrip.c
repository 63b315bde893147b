// roundtrip PORT FRAMES CONNECTIONS SPIN: one request under way on each connection to a Millrace server on this machine.
//
// The counterpart of floors/netping.c's client: one thread, one epoll, and as many system calls a message. The file (written by
// encode.py) holds what opens the stream, then compute frames; every connection takes the next one as soon as it has its answer.
// Nothing is encoded or decoded but frame headers. A tenth of the requests warms up. Prints one line of JSON, with the bytes of a
// request and of its answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

enum { RECEIVE_BYTES = 64 << 10, CONNECTIONS_MAX = 1024 };

typedef struct {
    int socket;
    uint64_t sentAt;
    uint8_t header[HEADER_BYTES];
    size_t headerBytes, bodyBytesToSkip;
    int answers, frames;
} Connection;

static Connection connections[CONNECTIONS_MAX];
static size_t next;  // of the file: where the next request begins
static size_t requestBytes, answerBytes;

static void sendBytes(Connection *connection, size_t from, size_t to) {
    connection->sentAt = nowNanoseconds();
    if (write(connection->socket, file + from, to - from) != (ssize_t)(to - from)) stop("sending");
}

static void sendNext(Connection *connection) {
    requestBytes = frameAt(file + next).bytes;
    sendBytes(connection, next, next + requestBytes);
    next += requestBytes;
}

static void frameArrived(Connection *connection) {
    Frame frame = answerAt(connection->header);
    connection->frames++;
    if (frame.flags & FLAG_LAST_OF_ANSWER) connection->answers++, answerBytes = frame.bytes;
    connection->headerBytes = 0;
    connection->bodyBytesToSkip = frame.bytes - HEADER_BYTES;
}

// Takes what one read brings; true when an answer is whole.
static int receive(Connection *connection) {
    static uint8_t received[RECEIVE_BYTES];
    ssize_t count = read(connection->socket, received, sizeof received);
    if (count == 0) errno = 0, stop("the server closed a connection");
    if (count < 0) {
        if (errno == EAGAIN) return 0;
        stop("receiving");
    }
    for (size_t at = 0; at < (size_t)count;) {
        size_t left = (size_t)count - at;
        if (connection->bodyBytesToSkip) {
            size_t skipped = left < connection->bodyBytesToSkip ? left : connection->bodyBytesToSkip;
            connection->bodyBytesToSkip -= skipped, at += skipped;
            continue;
        }
        size_t wanted = HEADER_BYTES - connection->headerBytes, taken = left < wanted ? left : wanted;
        memcpy(connection->header + connection->headerBytes, received + at, taken);
        connection->headerBytes += taken, at += taken;
        if (connection->headerBytes == HEADER_BYTES) frameArrived(connection);
    }
    return connection->answers > 0 && connection->bodyBytesToSkip == 0 && connection->headerBytes == 0;
}

static void openConnection(Connection *connection, int port, int poll, uint32_t number, size_t opening) {
    int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connection->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->socket < 0 || connect(connection->socket, (void *)&address, sizeof address)) stop("connecting");
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sendBytes(connection, 0, opening);
    while (connection->frames < OPENING_ANSWERS || connection->bodyBytesToSkip) receive(connection);
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, connection->socket, &event)) stop("epoll");
}

int main(int count, char **words) {
    if (count != 5 || atoi(words[3]) < 1 || atoi(words[3]) > CONNECTIONS_MAX) {
        fprintf(stderr, "usage: roundtrip PORT FRAMES CONNECTIONS SPIN, with at most %d connections\n", CONNECTIONS_MAX);
        return 2;
    }
    mapFile(words[2]);
    int connectionCount = atoi(words[3]), spins = atoi(words[4]);
    while (frameAt(file + next).kind != KIND_COMPUTE) next += frameAt(file + next).bytes;
    long batches = 0;
    for (size_t at = next; at < fileBytes; at += frameAt(file + at).bytes) batches++;

    int poll = epoll_create1(0);
    size_t opening = next;
    for (int i = 0; i < connectionCount; i++) openConnection(&connections[i], atoi(words[1]), poll, (uint32_t)i, opening);

    long warming = batches / 10, done = 0, measured = 0;
    uint64_t *taken = calloc((size_t)batches, sizeof *taken), start = 0;
    for (int i = 0; i < connectionCount; i++) connections[i].answers = 0, sendNext(&connections[i]);
    while (done < batches) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, spins ? 0 : -1);
        for (int i = 0; i < ready; i++) {
            Connection *connection = &connections[events[i].data.u32];
            if (!receive(connection)) continue;
            uint64_t now = nowNanoseconds();
            connection->answers = 0;
            if (done == warming) start = now;
            if (done++ >= warming) taken[measured++] = now - connection->sentAt;
            if (next < fileBytes) sendNext(connection);
        }
    }
    double seconds = (double)(nowNanoseconds() - start) / 1e9;

    qsort(taken, (size_t)measured, sizeof *taken, ascending);
    printf("{\"connections\": %d, \"requestBytes\": %zu, \"answerBytes\": %zu, \"perSecond\": %.0f, \"p50_us\": %.2f, \"p99_us\": %.2f, "
           "\"p999_us\": %.2f}\n", connectionCount, requestBytes, answerBytes, (double)measured / seconds,
           (double)taken[measured / 2] / 1e3, (double)taken[measured * 99 / 100] / 1e3, (double)taken[measured * 999 / 1000] / 1e3);
    return 0;
}
