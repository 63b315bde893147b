#ifndef MILLRACE_FLATBUFFERS_PROTOCOL_H
#define MILLRACE_FLATBUFFERS_PROTOCOL_H

/* Frame header and control bodies, schemas/protocol.fbs. */

#include "CFlatBuffersBuilder.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t magic;
    uint8_t version;
    uint8_t kind;
    uint16_t flags;
    uint32_t body_length;
    uint32_t channel;
    uint64_t request_id;
    uint64_t sequence;
    uint32_t epoch;
    uint32_t definitions;
    uint64_t batch_number;
    uint64_t received_up_to;
    uint32_t body_crc32c;
    uint32_t header_crc32c;
} millrace_frame_header;

/* `bytes`: 64 of them, at any address. */
void millrace_frame_header_read(const void *bytes, millrace_frame_header *header);
void millrace_frame_header_write(const millrace_frame_header *header, void *bytes);

/* A verified vector of strings or tables. */
typedef struct {
    const void *items;
    size_t count;
} millrace_list;

millrace_text millrace_list_text(millrace_list list, size_t index);

typedef struct {
    uint8_t version_min, version_max;
    bool wants_body_checksums, answers_no_pings;
    uint32_t credits_wanted;
    uint64_t producer_id;
} millrace_hello;
bool millrace_hello_read(const void *bytes, size_t count, millrace_hello *hello, millrace_text *token, millrace_text *client_name);
millrace_offset millrace_hello_build(
    millrace_builder *builder, const millrace_hello *hello, millrace_offset token, millrace_offset client_name);

typedef struct {
    uint8_t version;
    uint32_t epoch, credits, frame_body_bytes_max, batch_rows_max, definitions;
    uint64_t sequence, received_up_to;
} millrace_welcome;
bool millrace_welcome_read(
    const void *bytes, size_t count, millrace_welcome *welcome, millrace_text *server_name, millrace_text *server_version);
millrace_offset millrace_welcome_build(
    millrace_builder *builder, const millrace_welcome *welcome, millrace_offset server_name, millrace_offset server_version);

bool millrace_open_read(
    const void *bytes, size_t count, uint8_t *mode, millrace_text *table, millrace_list *views, millrace_list *key_columns);
millrace_offset millrace_open_build(
    millrace_builder *builder, uint8_t mode, millrace_offset table, millrace_offset views, millrace_offset key_columns);

bool millrace_opened_read(const void *bytes, size_t count, millrace_text *table, millrace_list *views, millrace_text *event_time);
void millrace_opened_view(millrace_list views, size_t index, millrace_text *name, uint32_t *channel);
millrace_offset millrace_opened_view_build(millrace_builder *builder, millrace_offset name, uint32_t channel);
millrace_offset millrace_opened_build(
    millrace_builder *builder, millrace_offset table, millrace_offset views, millrace_offset event_time);

bool millrace_accepted_read(const void *bytes, size_t count, uint32_t *rows, uint32_t *late, uint32_t *refused);
millrace_offset millrace_accepted_build(millrace_builder *builder, uint32_t rows, uint32_t late, uint32_t refused);

typedef struct {
    uint64_t from_sequence;
    uint32_t from_row, buffer_bytes, notify_milliseconds;
    uint8_t on_full;
    bool resume;
} millrace_subscribe;
bool millrace_subscribe_read(
    const void *bytes, size_t count, millrace_subscribe *subscribe, millrace_text *view, millrace_text *where,
    millrace_text *key_schema, millrace_text *keys);
millrace_offset millrace_subscribe_build(
    millrace_builder *builder, const millrace_subscribe *subscribe, millrace_offset view, millrace_offset where,
    millrace_offset key_schema, millrace_offset keys);

typedef struct {
    uint64_t sequence;
    uint32_t channel, buffer_bytes, notify_milliseconds;
    uint8_t on_full;
} millrace_subscribed;
bool millrace_subscribed_read(
    const void *bytes, size_t count, millrace_subscribed *subscribed, millrace_list *key_columns);
millrace_offset millrace_subscribed_build(
    millrace_builder *builder, const millrace_subscribed *subscribed, millrace_offset key_columns);

typedef struct {
    uint64_t rows, from_sequence, to_sequence;
    uint32_t from_row, to_row;
    uint8_t cause;
} millrace_gap;
bool millrace_gap_read(const void *bytes, size_t count, millrace_gap *gap);
millrace_offset millrace_gap_build(millrace_builder *builder, const millrace_gap *gap);

bool millrace_credit_read(const void *bytes, size_t count, uint32_t *credits);
millrace_offset millrace_credit_build(millrace_builder *builder, uint32_t credits);

bool millrace_status_reply_read(const void *bytes, size_t count, millrace_text *server_version, millrace_list *entries);
void millrace_status_entry(
    millrace_list entries, size_t index, millrace_text *name, millrace_text *label, millrace_text *unit, double *value);
millrace_offset millrace_status_entry_build(
    millrace_builder *builder, millrace_offset name, millrace_offset label, millrace_offset unit, double value);
millrace_offset millrace_status_reply_build(millrace_builder *builder, millrace_offset server_version, millrace_offset entries);

bool millrace_error_read(
    const void *bytes, size_t count, millrace_text *code, millrace_text *message, millrace_text *detail, bool *retry);
millrace_offset millrace_error_build(
    millrace_builder *builder, millrace_offset code, millrace_offset message, millrace_offset detail, bool retry);

bool millrace_goodbye_read(const void *bytes, size_t count, millrace_text *reason);
millrace_offset millrace_goodbye_build(millrace_builder *builder, millrace_offset reason);

bool millrace_apply_read(const void *bytes, size_t count, millrace_list *sources, bool *dry_run);
void millrace_source_text(millrace_list sources, size_t index, millrace_text *name, millrace_text *text);
millrace_offset millrace_source_text_build(millrace_builder *builder, millrace_offset name, millrace_offset text);
millrace_offset millrace_apply_build(millrace_builder *builder, millrace_offset sources, bool dry_run);

bool millrace_applied_read(
    const void *bytes, size_t count, bool *is_applied, uint32_t *definitions, millrace_text *report, bool *has_errors,
    uint64_t *memory_bytes_before, uint64_t *memory_bytes_after);
millrace_offset millrace_applied_build(
    millrace_builder *builder, bool is_applied, uint32_t definitions, millrace_offset report, bool has_errors,
    uint64_t memory_bytes_before, uint64_t memory_bytes_after);

#ifdef __cplusplus
}
#endif

#endif
