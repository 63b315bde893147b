#ifndef MILLRACE_MEMORY_H
#define MILLRACE_MEMORY_H

#include <stddef.h>

/// Reserves address space without memory behind it, aligned to 2 MiB; NULL when there is none. 64 MiB and more are marked for huge
/// pages.
/// Pages are zero at first touch.
void *CKernels_reserve(size_t bytes);
/// Gives back what `CKernels_reserve` returned.
void CKernels_release(void *base, size_t bytes);
/// Has the system give memory for `bytes` from `base`, which were not used before, ahead of their first use.
void CKernels_populate(void *base, size_t bytes);
/// Gives the memory of whole pages back to the system and keeps their addresses; they read as zero afterwards.
void CKernels_discard(void *base, size_t bytes);

static inline void CKernels_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }
static inline void CKernels_prefetchForWriting(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
