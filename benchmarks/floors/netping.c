// epoll echo server + ping-pong client. netping <msgsize> <nconn> <nmsgs> <spin 0|1>
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static uint64_t now() {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void pin(int c) {
    cpu_set_t s;
    CPU_ZERO(&s);
    CPU_SET(c, &s);
    sched_setaffinity(0, sizeof s, &s);
}
static int cmp(const void* a, const void* b) {
    uint32_t x = *(uint32_t*)a, y = *(uint32_t*)b;
    return x < y ? -1 : x > y;
}
int main(int c, char** v) {
    int sz = atoi(v[1]), nc = atoi(v[2]);
    long n = atol(v[3]);
    int spin = atoi(v[4]);
    int ls = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, 4);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t al = sizeof a;
    bind(ls, (void*)&a, sizeof a);
    getsockname(ls, (void*)&a, &al);
    listen(ls, 128);
    pid_t p = fork();
    if (!p) {
        pin(1);
        int ep = epoll_create1(0);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = ls};
        epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
        static char buf[65536];
        struct epoll_event ev[64];
        int got[1024] = {0};
        int closed = 0;
        for (;;) {
            int k = epoll_wait(ep, ev, 64, spin ? 0 : -1);
            for (int i = 0; i < k; i++) {
                int fd = ev[i].data.fd;
                if (fd == ls) {
                    int s = accept4(ls, 0, 0, SOCK_NONBLOCK);
                    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, 4);
                    struct epoll_event e = {.events = EPOLLIN, .data.fd = s};
                    epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
                } else {
                    ssize_t r = read(fd, buf, sizeof buf);
                    if (r <= 0) {
                        close(fd);
                        if (++closed == nc) _exit(0);
                    } else if (write(fd, buf, r) != r)
                        _exit(3);
                }
            }
        }
    }
    pin(0);
    int fds[1024], rem[1024];
    uint64_t st[1024];
    char buf[65536];
    memset(buf, 7, sizeof buf);
    int ep = epoll_create1(0);
    for (int i = 0; i < nc; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fds[i], (void*)&a, sizeof a)) {
            perror("c");
            return 1;
        }
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, 4);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e);
    }
    usleep(50000);
    uint32_t* lat = malloc(n * 4);
    long warm = n / 10, done = -warm;
    for (int i = 0; i < nc; i++) {
        rem[i] = sz;
        st[i] = now();
        write(fds[i], buf, sz);
    }
    struct epoll_event ev[64];
    uint64_t t0 = now();
    while (done < n) {
        int k = epoll_wait(ep, ev, 64, spin ? 0 : -1);
        for (int j = 0; j < k; j++) {
            int i = ev[j].data.u32;
            ssize_t r = read(fds[i], buf, rem[i]);
            if (r <= 0) {
                if (errno == EAGAIN) continue;
                return 2;
            }
            rem[i] -= r;
            if (!rem[i]) {
                uint64_t t = now();
                if (done >= 0 && done < n) lat[done] = t - st[i];
                done++;
                if (done == 0) t0 = t;
                rem[i] = sz;
                st[i] = now();
                write(fds[i], buf, sz);
            }
        }
    }
    double s = (now() - t0) / 1e9;
    for (int i = 0; i < nc; i++) close(fds[i]);
    if (spin) {
        kill(p, SIGTERM);
    }
    int w;
    waitpid(p, &w, 0);
    qsort(lat, n, 4, cmp);
    printf("size=%d conns=%d spin=%d msgs/s=%.0f p50=%.1fus p99=%.1fus p99.9=%.1fus max=%.0fus\n", sz, nc, spin, n / s,
           lat[n / 2] / 1e3, lat[(long)(n * .99)] / 1e3, lat[(long)(n * .999)] / 1e3, lat[n - 1] / 1e3);
}
