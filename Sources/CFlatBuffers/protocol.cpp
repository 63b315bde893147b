#include "CFlatBuffersProtocol.h"

#include <cstring>

#include "builder.hpp"
#include "protocol_generated.h"

namespace proto = millrace::protocol;
using flatbuffers::Offset;
using flatbuffers::String;
using flatbuffers::Vector;
using millrace::text;

static_assert(sizeof(proto::FrameHeader) == 64, "the frame header is 64 bytes");
static_assert(sizeof(millrace_frame_header) == 64, "its copy in C has no gaps either");

void millrace_frame_header_read(const void *bytes, millrace_frame_header *out) {
    proto::FrameHeader header;
    std::memcpy(&header, bytes, sizeof header);
    *out = {header.magic(),        header.version(),  header.kind(),        header.flags(),        header.body_length(),
            header.channel(),      header.request_id(), header.sequence(),  header.epoch(),        header.definitions(),
            header.batch_number(), header.received_up_to(), header.body_crc32c(), header.header_crc32c()};
}

void millrace_frame_header_write(const millrace_frame_header *from, void *bytes) {
    proto::FrameHeader header(
        from->magic, from->version, from->kind, from->flags, from->body_length, from->channel, from->request_id, from->sequence,
        from->epoch, from->definitions, from->batch_number, from->received_up_to, from->body_crc32c, from->header_crc32c);
    std::memcpy(bytes, &header, sizeof header);
}

namespace {

/* The deepest control table is a table in a vector in a table. */
template <typename T>
const T *control(const void *bytes, size_t count) {
    return millrace::verified<T>(bytes, count, 8, 4096);
}

template <typename T>
millrace_list items(const Vector<Offset<T>> *vector) {
    if (!vector) return {nullptr, 0};
    return {vector, vector->size()};
}

millrace_text octets(const Vector<uint8_t> *vector) {
    if (!vector) return {nullptr, 0};
    return {vector->data(), vector->size()};
}

template <typename T>
const T *item(millrace_list list, size_t index) {
    return static_cast<const Vector<Offset<T>> *>(list.items)->Get(static_cast<flatbuffers::uoffset_t>(index));
}

}  // namespace

millrace_text millrace_list_text(millrace_list list, size_t index) { return text(item<String>(list, index)); }

bool millrace_hello_read(const void *bytes, size_t count, millrace_hello *out, millrace_text *token, millrace_text *client_name) {
    auto table = control<proto::Hello>(bytes, count);
    if (!table) return false;
    *out = {table->version_min(),      table->version_max(),    table->wants_body_checksums(),
            table->answers_no_pings(), table->credits_wanted(), table->producer_id()};
    *token = text(table->token());
    *client_name = text(table->client_name());
    return true;
}

millrace_offset millrace_hello_build(
    millrace_builder *builder, const millrace_hello *hello, millrace_offset token, millrace_offset client_name) {
    return proto::CreateHello(
               builder->fbb, hello->version_min, hello->version_max, text(token), text(client_name), hello->producer_id,
               hello->wants_body_checksums, hello->credits_wanted, hello->answers_no_pings)
        .o;
}

bool millrace_welcome_read(
    const void *bytes, size_t count, millrace_welcome *out, millrace_text *server_name, millrace_text *server_version) {
    auto table = control<proto::Welcome>(bytes, count);
    if (!table) return false;
    out->version = table->version();
    out->epoch = table->epoch();
    out->credits = table->credits();
    out->frame_body_bytes_max = table->frame_body_bytes_max();
    out->batch_rows_max = table->batch_rows_max();
    out->definitions = table->definitions();
    out->sequence = table->sequence();
    out->received_up_to = table->received_up_to();
    *server_name = text(table->server_name());
    *server_version = text(table->server_version());
    return true;
}

millrace_offset millrace_welcome_build(
    millrace_builder *builder, const millrace_welcome *welcome, millrace_offset server_name, millrace_offset server_version) {
    return proto::CreateWelcome(
               builder->fbb, welcome->version, text(server_name), text(server_version), welcome->epoch, welcome->sequence,
               welcome->credits, welcome->frame_body_bytes_max, welcome->batch_rows_max, welcome->definitions,
               welcome->received_up_to)
        .o;
}

bool millrace_open_read(
    const void *bytes, size_t count, uint8_t *mode, millrace_text *name, millrace_list *views, millrace_list *key_columns) {
    auto table = control<proto::Open>(bytes, count);
    if (!table) return false;
    *mode = table->mode();
    *name = text(table->table());
    *views = items(table->views());
    *key_columns = items(table->key_columns());
    return true;
}

millrace_offset millrace_open_build(
    millrace_builder *builder, uint8_t mode, millrace_offset table, millrace_offset views, millrace_offset key_columns) {
    return proto::CreateOpen(
               builder->fbb, static_cast<proto::OpenMode>(mode), text(table), millrace::list<String>(views),
               millrace::list<String>(key_columns))
        .o;
}

bool millrace_opened_read(const void *bytes, size_t count, millrace_text *name, millrace_list *views, millrace_text *event_time) {
    auto table = control<proto::Opened>(bytes, count);
    if (!table) return false;
    *name = text(table->table());
    *views = items(table->views());
    *event_time = text(table->event_time());
    return true;
}

void millrace_opened_view(millrace_list views, size_t index, millrace_text *name, uint32_t *channel) {
    auto table = item<proto::OpenedView>(views, index);
    *name = text(table->name());
    *channel = table->channel();
}

millrace_offset millrace_opened_view_build(millrace_builder *builder, millrace_offset name, uint32_t channel) {
    return proto::CreateOpenedView(builder->fbb, text(name), channel).o;
}

millrace_offset millrace_opened_build(
    millrace_builder *builder, millrace_offset table, millrace_offset views, millrace_offset event_time) {
    return proto::CreateOpened(builder->fbb, text(table), millrace::list<proto::OpenedView>(views), text(event_time)).o;
}

bool millrace_accepted_read(const void *bytes, size_t count, uint32_t *rows, uint32_t *late, uint32_t *refused) {
    auto table = control<proto::Accepted>(bytes, count);
    if (!table) return false;
    *rows = table->rows();
    *late = table->late();
    *refused = table->refused();
    return true;
}

millrace_offset millrace_accepted_build(millrace_builder *builder, uint32_t rows, uint32_t late, uint32_t refused) {
    return proto::CreateAccepted(builder->fbb, rows, late, refused).o;
}

bool millrace_subscribe_read(
    const void *bytes, size_t count, millrace_subscribe *out, millrace_text *view, millrace_text *where,
    millrace_text *key_schema, millrace_text *keys) {
    auto table = control<proto::Subscribe>(bytes, count);
    if (!table) return false;
    out->from_sequence = table->from_sequence();
    out->from_row = table->from_row();
    out->buffer_bytes = table->buffer_bytes();
    out->notify_milliseconds = table->notify_milliseconds();
    out->on_full = table->on_full();
    out->resume = table->resume();
    *view = text(table->view());
    *where = text(table->where());
    *key_schema = octets(table->key_schema());
    *keys = octets(table->keys());
    return true;
}

millrace_offset millrace_subscribe_build(
    millrace_builder *builder, const millrace_subscribe *from, millrace_offset view, millrace_offset where,
    millrace_offset key_schema, millrace_offset keys) {
    return proto::CreateSubscribe(
               builder->fbb, text(view), text(where), from->from_sequence, static_cast<proto::OnFull>(from->on_full),
               from->from_row, from->resume, Offset<Vector<uint8_t>>(key_schema), Offset<Vector<uint8_t>>(keys), from->buffer_bytes, from->notify_milliseconds)
        .o;
}

bool millrace_subscribed_read(const void *bytes, size_t count, millrace_subscribed *out, millrace_list *key_columns) {
    auto table = control<proto::Subscribed>(bytes, count);
    if (!table) return false;
    out->sequence = table->sequence();
    out->channel = table->channel();
    out->buffer_bytes = table->buffer_bytes();
    out->notify_milliseconds = table->notify_milliseconds();
    out->on_full = table->on_full();
    *key_columns = items(table->key_columns());
    return true;
}

millrace_offset millrace_subscribed_build(
    millrace_builder *builder, const millrace_subscribed *from, millrace_offset key_columns) {
    return proto::CreateSubscribed(
               builder->fbb, from->channel, from->sequence, static_cast<proto::OnFull>(from->on_full),
               millrace::list<String>(key_columns), from->buffer_bytes, from->notify_milliseconds)
        .o;
}

bool millrace_gap_read(const void *bytes, size_t count, millrace_gap *out) {
    auto table = control<proto::Gap>(bytes, count);
    if (!table) return false;
    *out = {table->rows(), table->from_sequence(), table->to_sequence(), table->from_row(), table->to_row(), table->cause()};
    return true;
}

millrace_offset millrace_gap_build(millrace_builder *builder, const millrace_gap *from) {
    return proto::CreateGap(
               builder->fbb, static_cast<proto::GapCause>(from->cause), from->rows, from->from_sequence, from->from_row,
               from->to_sequence, from->to_row)
        .o;
}

bool millrace_credit_read(const void *bytes, size_t count, uint32_t *credits) {
    auto table = control<proto::Credit>(bytes, count);
    if (!table) return false;
    *credits = table->credits();
    return true;
}

millrace_offset millrace_credit_build(millrace_builder *builder, uint32_t credits) {
    return proto::CreateCredit(builder->fbb, credits).o;
}

bool millrace_status_reply_read(const void *bytes, size_t count, millrace_text *server_version, millrace_list *entries) {
    auto table = control<proto::StatusReply>(bytes, count);
    if (!table) return false;
    *server_version = text(table->server_version());
    *entries = items(table->entries());
    return true;
}

void millrace_status_entry(
    millrace_list entries, size_t index, millrace_text *name, millrace_text *label, millrace_text *unit, double *value) {
    auto table = item<proto::StatusEntry>(entries, index);
    *name = text(table->name());
    *label = text(table->label());
    *unit = text(table->unit());
    *value = table->value();
}

millrace_offset millrace_status_entry_build(
    millrace_builder *builder, millrace_offset name, millrace_offset label, millrace_offset unit, double value) {
    return proto::CreateStatusEntry(builder->fbb, text(name), text(label), text(unit), value).o;
}

millrace_offset millrace_status_reply_build(
    millrace_builder *builder, millrace_offset server_version, millrace_offset entries) {
    return proto::CreateStatusReply(builder->fbb, text(server_version), millrace::list<proto::StatusEntry>(entries)).o;
}

bool millrace_error_read(
    const void *bytes, size_t count, millrace_text *code, millrace_text *message, millrace_text *detail, bool *retry) {
    auto table = control<proto::Error>(bytes, count);
    if (!table) return false;
    *code = text(table->code());
    *message = text(table->message());
    *detail = text(table->detail());
    *retry = table->retry();
    return true;
}

millrace_offset millrace_error_build(
    millrace_builder *builder, millrace_offset code, millrace_offset message, millrace_offset detail, bool retry) {
    return proto::CreateError(builder->fbb, text(code), text(message), text(detail), retry).o;
}

bool millrace_goodbye_read(const void *bytes, size_t count, millrace_text *reason) {
    auto table = control<proto::Goodbye>(bytes, count);
    if (!table) return false;
    *reason = text(table->reason());
    return true;
}

millrace_offset millrace_goodbye_build(millrace_builder *builder, millrace_offset reason) {
    return proto::CreateGoodbye(builder->fbb, text(reason)).o;
}

bool millrace_apply_read(const void *bytes, size_t count, millrace_list *sources, bool *dry_run) {
    auto table = control<proto::Apply>(bytes, count);
    if (!table) return false;
    *sources = items(table->sources());
    *dry_run = table->dry_run();
    return true;
}

void millrace_source_text(millrace_list sources, size_t index, millrace_text *name, millrace_text *contents) {
    auto table = item<proto::SourceText>(sources, index);
    *name = text(table->name());
    *contents = text(table->text());
}

millrace_offset millrace_source_text_build(millrace_builder *builder, millrace_offset name, millrace_offset contents) {
    return proto::CreateSourceText(builder->fbb, text(name), text(contents)).o;
}

millrace_offset millrace_apply_build(millrace_builder *builder, millrace_offset sources, bool dry_run) {
    return proto::CreateApply(builder->fbb, millrace::list<proto::SourceText>(sources), dry_run).o;
}

bool millrace_applied_read(
    const void *bytes, size_t count, bool *is_applied, uint32_t *definitions, millrace_text *report, bool *has_errors,
    uint64_t *memory_bytes_before, uint64_t *memory_bytes_after) {
    auto table = control<proto::Applied>(bytes, count);
    if (!table) return false;
    *is_applied = table->is_applied();
    *definitions = table->definitions();
    *report = text(table->report());
    *has_errors = table->has_errors();
    *memory_bytes_before = table->memory_bytes_before();
    *memory_bytes_after = table->memory_bytes_after();
    return true;
}

millrace_offset millrace_applied_build(
    millrace_builder *builder, bool is_applied, uint32_t definitions, millrace_offset report, bool has_errors,
    uint64_t memory_bytes_before, uint64_t memory_bytes_after) {
    return proto::CreateApplied(
        builder->fbb, is_applied, definitions, text(report), has_errors, memory_bytes_before, memory_bytes_after).o;
}
