#ifndef MILLRACE_COUNTING_ALLOCATOR_H
#define MILLRACE_COUNTING_ALLOCATOR_H

/* The C library's allocator for the whole test process, with a count of what the calling thread asks it for: malloc, calloc, realloc
   and their aligned kin. Giving memory back is not counted. */

/* Allocations of this thread so far. Where another allocator stands in (AddressSanitizer) it stays 0. */
long millrace_allocation_count(void);

/* Whether allocations are counted in this build. */
int millrace_counts_allocations(void);

#endif
