#ifndef MILLRACE_KERNELS_MATH_H
#define MILLRACE_KERNELS_MATH_H

/* What row expressions need from the C library: its mathematics, byte comparison, exact decimal digits of a double, and the time
   zone files that a plan names. */

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static inline double millrace_log(double x) { return log(x); }
static inline double millrace_log10(double x) { return log10(x); }
static inline double millrace_exp(double x) { return exp(x); }
static inline double millrace_pow(double x, double y) { return pow(x, y); }
static inline double millrace_cbrt(double x) { return cbrt(x); }
static inline double millrace_fmod(double x, double y) { return fmod(x, y); }

static inline int millrace_compare_bytes(const void *left, const void *right, size_t count) {
    return memcmp(left, right, count);
}

/* `digits` significant digits of a finite x, correctly rounded, as d.ddde±xx; returns the length. */
static inline int millrace_decimal_digits(double x, int digits, char *out, size_t capacity) {
    return snprintf(out, capacity, "%.*e", digits - 1, x);
}

/* Up to `capacity` bytes of a file; 0 where it cannot be read. */
static inline size_t millrace_read_file(const char *path, unsigned char *out, size_t capacity) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return 0;
    size_t count = fread(out, 1, capacity, file);
    fclose(file);
    return count;
}

#endif
