#ifndef MILLRACE_CHECKSUM_H
#define MILLRACE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, initial value and final complement as in RFC 3720) of `count` bytes.
   Uses the processor's own instruction where it has one, which is found out once. */
uint32_t CKernels_crc32c(const void *bytes, size_t count);

/* The checksum of bytes whose checksum is `crc` and `count` more behind them; that of no bytes is 0. */
uint32_t CKernels_crc32cExtended(uint32_t crc, const void *bytes, size_t count);

/* CKernels_crc32c by tables, eight bytes at a time, on any processor. */
uint32_t CKernels_crc32cPortable(const void *bytes, size_t count);

#endif
