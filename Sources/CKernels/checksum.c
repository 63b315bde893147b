#include "Checksum.h"

#include <stdatomic.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

/* table[k][b]: remainder of byte b followed by k zero bytes ("slicing by eight"). */
static uint32_t table[8][256];

__attribute__((constructor)) static void fill_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++) remainder = (remainder >> 1) ^ (0x82F63B78u & -(remainder & 1));
        table[0][byte] = remainder;
    }
    for (int zeros = 1; zeros < 8; zeros++) {
        for (int byte = 0; byte < 256; byte++) {
            uint32_t shorter = table[zeros - 1][byte];
            table[zeros][byte] = (shorter >> 8) ^ table[0][shorter & 0xFF];
        }
    }
}

uint32_t CKernels_crc32cPortable(const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    uint32_t crc = ~0u;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        word ^= crc;
        crc = table[7][word & 0xFF] ^ table[6][(word >> 8) & 0xFF] ^ table[5][(word >> 16) & 0xFF] ^
              table[4][(word >> 24) & 0xFF] ^ table[3][(word >> 32) & 0xFF] ^ table[2][(word >> 40) & 0xFF] ^
              table[1][(word >> 48) & 0xFF] ^ table[0][word >> 56];
    }
    for (; count > 0; count--, next++) crc = (crc >> 8) ^ table[0][(crc ^ *next) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    uint64_t crc = ~0u;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    for (; count > 0; count--, next++) crc = __builtin_ia32_crc32qi((uint32_t)crc, *next);
    return ~(uint32_t)crc;
}

static int has_instruction(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__)

__attribute__((target("crc"))) static uint32_t crc32c_instruction(const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    uint32_t crc = ~0u;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        crc = __crc32cd(crc, word);
    }
    for (; count > 0; count--, next++) crc = __crc32cb(crc, *next);
    return ~crc;
}

static int has_instruction(void) { return (getauxval(AT_HWCAP) >> 7) & 1; }

#else

#define crc32c_instruction CKernels_crc32cPortable
static int has_instruction(void) { return 0; }

#endif

/* 0: not asked yet, 1: tables, 2: instruction. Two threads that ask at once store the same answer. */
static atomic_int choice;

uint32_t CKernels_crc32c(const void *bytes, size_t count) {
    int chosen = atomic_load_explicit(&choice, memory_order_relaxed);
    if (!chosen) {
        chosen = has_instruction() ? 2 : 1;
        atomic_store_explicit(&choice, chosen, memory_order_relaxed);
    }
    return chosen == 2 ? crc32c_instruction(bytes, count) : CKernels_crc32cPortable(bytes, count);
}
