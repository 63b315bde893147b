#ifndef MILLRACE_FLATBUFFERS_BUILDER_H
#define MILLRACE_FLATBUFFERS_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* UTF-8 in somebody else's memory; not terminated, not yet known to be valid UTF-8. `bytes` is NULL where the field is absent. */
typedef struct {
    const uint8_t *bytes;
    size_t count;
} millrace_text;

/* A FlatBuffer being built, from its leaves to its root. */
typedef struct millrace_builder millrace_builder;

/* Place of a finished part; 0: absent. */
typedef uint32_t millrace_offset;

millrace_builder *millrace_builder_create(void);
void millrace_builder_destroy(millrace_builder *builder);
millrace_offset millrace_builder_text(millrace_builder *builder, const uint8_t *bytes, size_t count);
/* A vector of strings or tables. */
millrace_offset millrace_builder_vector(millrace_builder *builder, const millrace_offset *items, size_t count);
/* A vector of bytes. */
millrace_offset millrace_builder_bytes(millrace_builder *builder, const uint8_t *bytes, size_t count);
/* Ends with `root`; the bytes belong to the builder. */
const uint8_t *millrace_builder_finish(millrace_builder *builder, millrace_offset root, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
