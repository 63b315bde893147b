#ifndef MILLRACE_FLATBUFFERS_ARROW_H
#define MILLRACE_FLATBUFFERS_ARROW_H

/* Arrow's metadata, schemas/arrow.fbs. `bytes` must be divisible by 8; it is the FlatBuffer alone, without the encapsulating
   FFFFFFFF and length. */

#include "CFlatBuffersBuilder.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    millrace_arrow_ok = 0,
    /* The FlatBuffers verifier rejects it, or a part that must be there is missing. */
    millrace_arrow_malformed,
    /* Metadata version other than V5 (and V4, which differs in unions only). */
    millrace_arrow_version,
    /* Another kind of message. */
    millrace_arrow_kind,
    /* A buffer lies outside the body. */
    millrace_arrow_outside,
    /* Body compression other than a codec per buffer. */
    millrace_arrow_compression,
    /* Big-endian. */
    millrace_arrow_endian,
} millrace_arrow_result;

/* Numbers of the MessageHeader union. */
enum { millrace_message_schema = 1, millrace_message_dictionary = 2, millrace_message_batch = 3 };

/* Kind and body length of any message. */
millrace_arrow_result millrace_message_read(const void *bytes, size_t count, uint8_t *kind, int64_t *body_length);

/* MARK: Schema */

/* Vector of verified fields. */
typedef struct {
    const void *items;
    size_t count;
} millrace_fields;

typedef struct {
    millrace_text name;
    millrace_text time_zone;
    millrace_fields children;
    int64_t dictionary_id;
    int32_t bit_width;      /* Int, Decimal, Time */
    int32_t precision;      /* Decimal */
    int32_t scale;          /* Decimal */
    int32_t size;           /* FixedSizeBinary bytes, FixedSizeList items */
    int32_t index_bit_width;
    int16_t unit;           /* FloatingPoint precision, Date, Time, Timestamp, Interval, Duration, Union mode */
    uint8_t type;           /* number in the Type union */
    bool is_signed;         /* Int */
    bool is_nullable;
    bool is_dictionary;
    bool is_index_signed;
    bool is_dictionary_ordered;
} millrace_field;

millrace_arrow_result millrace_schema_read(const void *bytes, size_t count, millrace_fields *fields);
void millrace_fields_at(millrace_fields fields, size_t index, millrace_field *field);

millrace_offset millrace_field_build(
    millrace_builder *builder, const millrace_field *field, millrace_offset name, millrace_offset time_zone,
    millrace_offset children);
millrace_offset millrace_schema_build(millrace_builder *builder, millrace_offset fields);
millrace_offset millrace_schema_message_build(millrace_builder *builder, millrace_offset schema);

/* MARK: Batches */

/* Nodes are pairs of int64 (rows, NULLs), buffers pairs of int64 (offset, length) that are known to lie inside the body;
   both vectors are only 4-byte aligned. */
typedef struct {
    int64_t row_count;
    int64_t body_length;
    int64_t dictionary_id;
    const void *nodes;
    const void *buffers;
    uint32_t node_count;
    uint32_t buffer_count;
    int8_t codec; /* -1: uncompressed, 0: LZ4 frame, 1: zstd */
    bool is_delta;
} millrace_batch;

/* `kind`: the message expected, a record batch or a dictionary batch. */
millrace_arrow_result millrace_batch_read(const void *bytes, size_t count, uint8_t kind, millrace_batch *batch);

/* Where in a finished batch message the numbers stand that differ from batch to batch. */
typedef struct {
    size_t row_count_at;
    size_t body_length_at;
    size_t nodes_at;
    size_t buffers_at;
} millrace_batch_template;

millrace_offset millrace_batch_build(
    millrace_builder *builder, uint32_t node_count, uint32_t buffer_count, bool is_compressed);
/* `bytes`: a finished message of millrace_batch_build. */
void millrace_batch_locate(const void *bytes, millrace_batch_template *places);

/* MARK: Files */

typedef struct {
    int64_t offset;
    int64_t metadata_length;
    int64_t body_length;
} millrace_block;

typedef struct {
    millrace_fields fields;
    const void *dictionaries;
    size_t dictionary_count;
    const void *batches;
    size_t batch_count;
} millrace_footer;

millrace_arrow_result millrace_footer_read(const void *bytes, size_t count, millrace_footer *footer);
millrace_block millrace_footer_dictionary(const millrace_footer *footer, size_t index);
millrace_block millrace_footer_batch(const millrace_footer *footer, size_t index);
millrace_offset millrace_footer_build(
    millrace_builder *builder, millrace_offset schema, const millrace_block *batches, size_t batch_count);

#ifdef __cplusplus
}
#endif

#endif
