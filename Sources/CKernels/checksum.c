#include "Checksum.h"

#include <stdatomic.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

/* table[k][b]: remainder of byte b followed by k zero bytes ("slicing by eight"). */
static uint32_t table[8][256];

/* Bytes of one of the blocks whose remainders are worked out side by side. */
enum { BLOCK = 1024 };

/* behind[k][b]: what byte k of a remainder, with value b, becomes when BLOCK zero bytes follow. */
static uint32_t behind[4][256];

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
    for (int place = 0; place < 4; place++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t remainder = byte << (8 * place);
            for (int zero = 0; zero < BLOCK; zero++) remainder = (remainder >> 8) ^ table[0][remainder & 0xFF];
            behind[place][byte] = remainder;
        }
    }
}

/* The remainder when BLOCK zero bytes follow: remainders add up (xor), so each of its bytes counts for itself. */
static inline uint32_t behind_block(uint32_t remainder) {
    return behind[0][remainder & 0xFF] ^ behind[1][(remainder >> 8) & 0xFF] ^ behind[2][(remainder >> 16) & 0xFF] ^
           behind[3][remainder >> 24];
}

/* `crc` and the result are not complemented here and below. */
static uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        word ^= crc;
        crc = table[7][word & 0xFF] ^ table[6][(word >> 8) & 0xFF] ^ table[5][(word >> 16) & 0xFF] ^
              table[4][(word >> 24) & 0xFF] ^ table[3][(word >> 32) & 0xFF] ^ table[2][(word >> 40) & 0xFF] ^
              table[1][(word >> 48) & 0xFF] ^ table[0][word >> 56];
    }
    for (; count > 0; count--, next++) crc = (crc >> 8) ^ table[0][(crc ^ *next) & 0xFF];
    return crc;
}

uint32_t CKernels_crc32cPortable(const void *bytes, size_t count) { return ~crc32c_portable(~0u, bytes, count); }

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_words(uint32_t crc, const uint8_t *next, size_t count) {
    uint64_t wide = crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    for (; count > 0; count--, next++) wide = __builtin_ia32_crc32qi((uint32_t)wide, *next);
    return (uint32_t)wide;
}

/* Three blocks side by side: the instruction takes one word a cycle and three cycles for it. */
__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    for (; count >= 3 * BLOCK; count -= 3 * BLOCK, next += 3 * BLOCK) {
        uint64_t first = crc, second = 0, third = 0;
        for (size_t at = 0; at < BLOCK; at += 8) {
            uint64_t words[3];
            memcpy(&words[0], next + at, 8);
            memcpy(&words[1], next + BLOCK + at, 8);
            memcpy(&words[2], next + 2 * BLOCK + at, 8);
            first = __builtin_ia32_crc32di(first, words[0]);
            second = __builtin_ia32_crc32di(second, words[1]);
            third = __builtin_ia32_crc32di(third, words[2]);
        }
        crc = behind_block(behind_block((uint32_t)first) ^ (uint32_t)second) ^ (uint32_t)third;
    }
    return crc32c_words(crc, next, count);
}

static int has_instruction(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__)

__attribute__((target("crc"))) static uint32_t crc32c_instruction(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        crc = __crc32cd(crc, word);
    }
    for (; count > 0; count--, next++) crc = __crc32cb(crc, *next);
    return crc;
}

static int has_instruction(void) { return (getauxval(AT_HWCAP) >> 7) & 1; }

#else

#define crc32c_instruction crc32c_portable
static int has_instruction(void) { return 0; }

#endif

/* 0: not asked yet, 1: tables, 2: instruction. Two threads that ask at once store the same answer. */
static atomic_int choice;

uint32_t CKernels_crc32cExtended(uint32_t crc, const void *bytes, size_t count) {
    int chosen = atomic_load_explicit(&choice, memory_order_relaxed);
    if (!chosen) {
        chosen = has_instruction() ? 2 : 1;
        atomic_store_explicit(&choice, chosen, memory_order_relaxed);
    }
    return chosen == 2 ? ~crc32c_instruction(~crc, bytes, count) : ~crc32c_portable(~crc, bytes, count);
}

uint32_t CKernels_crc32c(const void *bytes, size_t count) { return CKernels_crc32cExtended(0, bytes, count); }
