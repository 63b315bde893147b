#include "ColumnChecks.h"

#include <string.h>

/* Differences are gathered without a branch, so that the loops vectorise; one test at the end. */

bool CKernels_checkOffsets32(const void *offsets, size_t rows, int64_t limit, int64_t *longest) {
    const uint8_t *next = offsets;
    int32_t first, previous;
    memcpy(&first, next, 4);
    previous = first;
    uint32_t sign = (uint32_t)first;
    int32_t greatest = 0;
    for (size_t row = 1; row <= rows; row++) {
        int32_t offset;
        memcpy(&offset, next + row * 4, 4);
        /* Both are below 2^31 and not negative unless the sign says otherwise in the end. */
        int32_t length = (int32_t)((uint32_t)offset - (uint32_t)previous);
        sign |= (uint32_t)offset | (uint32_t)length;
        greatest = length > greatest ? length : greatest;
        previous = offset;
    }
    *longest = greatest;
    return !(sign >> 31) && previous <= limit;
}

bool CKernels_checkOffsets64(const void *offsets, size_t rows, int64_t limit, int64_t *longest) {
    const uint8_t *next = offsets;
    int64_t first, previous;
    memcpy(&first, next, 8);
    previous = first;
    uint64_t sign = (uint64_t)first;
    int64_t greatest = 0;
    for (size_t row = 1; row <= rows; row++) {
        int64_t offset;
        memcpy(&offset, next + row * 8, 8);
        int64_t length = (int64_t)((uint64_t)offset - (uint64_t)previous);
        sign |= (uint64_t)offset | (uint64_t)length;
        greatest = length > greatest ? length : greatest;
        previous = offset;
    }
    *longest = greatest;
    return !(sign >> 63) && previous <= limit;
}

bool CKernels_isASCII(const uint8_t *bytes, size_t count) {
    uint64_t high = 0;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        high |= word;
    }
    for (; count > 0; count--, bytes++) high |= *bytes;
    return !(high & 0x8080808080808080u);
}

bool CKernels_anyByte(const uint8_t *bytes, size_t count) {
    uint64_t any = 0;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        any |= word;
    }
    for (; count > 0; count--, bytes++) any |= *bytes;
    return any != 0;
}

/* Length of the well-formed character at `bytes`, or 0. */
static size_t character(const uint8_t *bytes, size_t count) {
    uint8_t lead = bytes[0];
    if (lead < 0x80) return 1;
    size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || length > count) return 0;
    uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < lowest || bytes[1] > highest) return 0;
    for (size_t index = 2; index < length; index++) {
        if ((bytes[index] & 0xC0) != 0x80) return 0;
    }
    return length;
}

bool CKernels_isUTF8(const uint8_t *bytes, size_t count) {
    while (count > 0) {
        uint64_t word;
        if (count >= 8 && (memcpy(&word, bytes, 8), !(word & 0x8080808080808080u))) {
            bytes += 8;
            count -= 8;
            continue;
        }
        size_t length = character(bytes, count);
        if (length == 0) return false;
        bytes += length;
        count -= length;
    }
    return true;
}

bool CKernels_offsetsSplitNothing32(const void *offsets, size_t rows, const uint8_t *bytes, size_t count) {
    const uint8_t *next = offsets;
    for (size_t row = 0; row <= rows; row++) {
        int32_t offset;
        memcpy(&offset, next + row * 4, 4);
        if ((size_t)offset < count && (bytes[offset] & 0xC0) == 0x80) return false;
    }
    return true;
}

size_t CKernels_countBits(const uint8_t *bitmap, size_t rows) {
    size_t ones = 0, whole = rows / 64;
    for (size_t index = 0; index < whole; index++) {
        uint64_t word;
        memcpy(&word, bitmap + index * 8, 8);
        ones += (size_t)__builtin_popcountll(word);
    }
    for (size_t row = whole * 64; row < rows; row++) ones += (bitmap[row / 8] >> (row % 8)) & 1;
    return ones;
}

float CKernels_halfToFloat(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 0x1F, fraction = half & 0x3FF;
    if (exponent == 0) { /* zero or subnormal: fraction x 2^-24 */
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    uint32_t bits = sign | (exponent == 31 ? 0x7F800000u : (exponent + 112) << 23) | fraction << 13;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
