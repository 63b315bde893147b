#ifndef MILLRACE_COLUMN_CHECKS_H
#define MILLRACE_COLUMN_CHECKS_H

/* What has to be known of a column from outside before anything follows its offsets or reads its text. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `offsets` has `rows` + 1 entries at any address. True when they start at 0 or above, never fall, and end within `limit`;
   `longest` is then the greatest distance between two neighbours. */
bool CKernels_checkOffsets32(const void *offsets, size_t rows, int64_t limit, int64_t *longest);
bool CKernels_checkOffsets64(const void *offsets, size_t rows, int64_t limit, int64_t *longest);

/* True when no byte has its high bit set. */
bool CKernels_isASCII(const uint8_t *bytes, size_t count);

/* True for well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or code points past 10FFFF. */
bool CKernels_isUTF8(const uint8_t *bytes, size_t count);

/* True when no offset points into the middle of a character of well-formed `bytes`; offsets already checked. */
bool CKernels_offsetsSplitNothing32(const void *offsets, size_t rows, const uint8_t *bytes, size_t count);

/* Ones among the first `rows` bits. */
size_t CKernels_countBits(const uint8_t *bitmap, size_t rows);

/* True when a byte is not zero. */
bool CKernels_anyByte(const uint8_t *bytes, size_t count);

/* IEEE 754 binary16, whatever the processor knows of it. */
float CKernels_halfToFloat(uint16_t half);

#endif
