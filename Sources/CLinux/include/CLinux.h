#ifndef CLINUX_H
#define CLINUX_H

// What the Glibc module of Swift does not show: interfaces behind _GNU_SOURCE, and headers it leaves out.

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>

/// accept4 with SOCK_NONBLOCK | SOCK_CLOEXEC; -1 and errno on failure.
int clinux_accept(int listener);

/// Pins the calling thread to one CPU; 0, or an errno value.
int clinux_pin_to_cpu(int cpu);

/// CPUs that the process may run on, ascending, at most `capacity`; returns how many were written, or -1 and errno.
int clinux_allowed_cpus(int32_t *cpus, int capacity);

/// Lets the process open as many files as it is allowed to; returns how many that are, or -1 and errno.
int64_t clinux_raise_descriptor_limit(void);

/// Names the calling thread, for top and perf; cut to 15 bytes.
void clinux_name_thread(const char *name);

/// Text of an errno value; `buffer` is used where the C library has no constant text.
const char *clinux_error_text(int code, char *buffer, int capacity);

/// Name of an errno value ("EADDRINUSE"), or "errno" where it has none.
const char *clinux_error_name(int code);

/// Locks the whole of an open file for writing until its descriptor is closed; 0, or an errno value: EAGAIN or EACCES where
/// another descriptor holds it, of this process or any other.
int clinux_lock_file(int file);

/// 1 where another descriptor holds such a lock, 0 where none does; -1 and errno on failure.
int clinux_is_file_locked(int file);

/// One hint to the CPU that this is a loop that waits.
static inline void clinux_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#endif
