#define _GNU_SOURCE
#include "Memory.h"

#include <stdint.h>
#include <sys/mman.h>

// Huge pages are for ranges of which one is a small part.
enum { HUGE_PAGE_BYTES = 2 << 20, HUGE_PAGES_FROM_BYTES = 64 << 20 };

void *CKernels_reserve(size_t bytes) {
    size_t padded = bytes + HUGE_PAGE_BYTES;
    char *start = mmap(NULL, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return NULL;
    char *aligned = (char *)(((uintptr_t)start + HUGE_PAGE_BYTES - 1) & ~(uintptr_t)(HUGE_PAGE_BYTES - 1));
    if (aligned > start) munmap(start, (size_t)(aligned - start));
    size_t behind = padded - (size_t)(aligned - start) - bytes;
    if (behind > 0) munmap(aligned + bytes, behind);
    if (bytes >= HUGE_PAGES_FROM_BYTES) madvise(aligned, bytes, MADV_HUGEPAGE);
    return aligned;
}

void CKernels_release(void *base, size_t bytes) { munmap(base, bytes); }

void CKernels_populate(void *base, size_t bytes) {
    if (madvise(base, bytes, MADV_POPULATE_WRITE) == 0) return;
    // Linux before 5.14: a write to every page.
    for (size_t offset = 0; offset < bytes; offset += 4096) ((volatile char *)base)[offset] = 0;
}

void CKernels_discard(void *base, size_t bytes) { madvise(base, bytes, MADV_DONTNEED); }
