#include "CFlatBuffersArrow.h"

#include "arrow_generated.h"
#include "builder.hpp"

namespace arrow = millrace::arrow;
using flatbuffers::Offset;
using flatbuffers::Vector;
using millrace::text;

static_assert(sizeof(arrow::FieldNode) == 16 && sizeof(arrow::Buffer) == 16 && sizeof(arrow::Block) == 24, "Arrow's structs");

namespace {

/* A schema may nest and carry metadata of its writer; a batch has four tables and what its writer adds. */
constexpr uint32_t schema_depth_max = 64, schema_tables_max = 32768;
constexpr uint32_t batch_depth_max = 8, batch_tables_max = 256;

millrace_arrow_result check_version(arrow::MetadataVersion version) {
    return version == arrow::MetadataVersion_V5 || version == arrow::MetadataVersion_V4 ? millrace_arrow_ok
                                                                                       : millrace_arrow_version;
}

const arrow::Field *field_at(millrace_fields fields, size_t index) {
    auto vector = static_cast<const Vector<Offset<arrow::Field>> *>(fields.items);
    return vector->Get(static_cast<flatbuffers::uoffset_t>(index));
}

millrace_fields fields_of(const Vector<Offset<arrow::Field>> *vector) {
    if (!vector) return {nullptr, 0};
    return {vector, vector->size()};
}

millrace_arrow_result read_schema(const arrow::Schema *schema, millrace_fields *fields) {
    if (!schema) return millrace_arrow_malformed;
    if (schema->endianness() != arrow::Endianness_Little) return millrace_arrow_endian;
    *fields = fields_of(schema->fields());
    return millrace_arrow_ok;
}

/* A union member of the named type, or NULL: the verifier lets unknown types and absent members pass. */
template <typename T>
const T *member(const arrow::Field *field) {
    return static_cast<const T *>(field->type());
}

void read_type(const arrow::Field *field, millrace_field *out) {
    if (!field->type()) {
        out->type = arrow::Type_NONE;
        return;
    }
    switch (field->type_type()) {
        case arrow::Type_Int:
            out->bit_width = member<arrow::Int>(field)->bit_width();
            out->is_signed = member<arrow::Int>(field)->is_signed();
            break;
        case arrow::Type_FloatingPoint: out->unit = member<arrow::FloatingPoint>(field)->precision(); break;
        case arrow::Type_Decimal:
            out->precision = member<arrow::Decimal>(field)->precision();
            out->scale = member<arrow::Decimal>(field)->scale();
            out->bit_width = member<arrow::Decimal>(field)->bit_width();
            break;
        case arrow::Type_Date: out->unit = member<arrow::Date>(field)->unit(); break;
        case arrow::Type_Time:
            out->unit = member<arrow::Time>(field)->unit();
            out->bit_width = member<arrow::Time>(field)->bit_width();
            break;
        case arrow::Type_Timestamp:
            out->unit = member<arrow::Timestamp>(field)->unit();
            out->time_zone = text(member<arrow::Timestamp>(field)->timezone());
            break;
        case arrow::Type_Interval: out->unit = member<arrow::Interval>(field)->unit(); break;
        case arrow::Type_Duration: out->unit = member<arrow::Duration>(field)->unit(); break;
        case arrow::Type_Union: out->unit = member<arrow::Union>(field)->mode(); break;
        case arrow::Type_FixedSizeBinary: out->size = member<arrow::FixedSizeBinary>(field)->byte_width(); break;
        case arrow::Type_FixedSizeList: out->size = member<arrow::FixedSizeList>(field)->list_size(); break;
        default: break;
    }
}

Offset<void> build_type(flatbuffers::FlatBufferBuilder &fbb, const millrace_field *field, millrace_offset time_zone) {
    auto unit = field->unit;
    switch (field->type) {
        case arrow::Type_Int: return arrow::CreateInt(fbb, field->bit_width, field->is_signed).Union();
        case arrow::Type_FloatingPoint:
            return arrow::CreateFloatingPoint(fbb, static_cast<arrow::Precision>(unit)).Union();
        case arrow::Type_Decimal:
            return arrow::CreateDecimal(fbb, field->precision, field->scale, field->bit_width).Union();
        case arrow::Type_Date: return arrow::CreateDate(fbb, static_cast<arrow::DateUnit>(unit)).Union();
        case arrow::Type_Time:
            return arrow::CreateTime(fbb, static_cast<arrow::TimeUnit>(unit), field->bit_width).Union();
        case arrow::Type_Timestamp:
            return arrow::CreateTimestamp(fbb, static_cast<arrow::TimeUnit>(unit), text(time_zone)).Union();
        case arrow::Type_Interval: return arrow::CreateInterval(fbb, static_cast<arrow::IntervalUnit>(unit)).Union();
        case arrow::Type_Duration: return arrow::CreateDuration(fbb, static_cast<arrow::TimeUnit>(unit)).Union();
        case arrow::Type_Union: return arrow::CreateUnion(fbb, static_cast<arrow::UnionMode>(unit)).Union();
        case arrow::Type_FixedSizeBinary: return arrow::CreateFixedSizeBinary(fbb, field->size).Union();
        case arrow::Type_FixedSizeList: return arrow::CreateFixedSizeList(fbb, field->size).Union();
        default: return arrow::CreateNull(fbb).Union(); /* the tables without fields are all alike */
    }
}

}  // namespace

millrace_arrow_result millrace_message_read(const void *bytes, size_t count, uint8_t *kind, int64_t *body_length) {
    auto message = millrace::verified<arrow::Message>(bytes, count, schema_depth_max, schema_tables_max);
    if (!message || !message->header()) return millrace_arrow_malformed;
    *kind = message->header_type();
    *body_length = message->body_length();
    return check_version(message->version());
}

millrace_arrow_result millrace_schema_read(const void *bytes, size_t count, millrace_fields *fields) {
    auto message = millrace::verified<arrow::Message>(bytes, count, schema_depth_max, schema_tables_max);
    if (!message) return millrace_arrow_malformed;
    if (auto result = check_version(message->version())) return result;
    if (message->header_type() != arrow::MessageHeader_Schema) return millrace_arrow_kind;
    return read_schema(message->header_as_Schema(), fields);
}

void millrace_fields_at(millrace_fields fields, size_t index, millrace_field *out) {
    auto field = field_at(fields, index);
    *out = {};
    out->name = text(field->name());
    out->children = fields_of(field->children());
    out->is_nullable = field->nullable();
    out->type = field->type_type();
    read_type(field, out);
    auto dictionary = field->dictionary();
    if (!dictionary) return;
    out->is_dictionary = true;
    out->is_dictionary_ordered = dictionary->is_ordered();
    out->dictionary_id = dictionary->id();
    /* Arrow: indices are int32 where their type is absent. */
    auto index_type = dictionary->index_type();
    out->index_bit_width = index_type ? index_type->bit_width() : 32;
    out->is_index_signed = index_type ? index_type->is_signed() : true;
}

millrace_offset millrace_field_build(
    millrace_builder *builder, const millrace_field *field, millrace_offset name, millrace_offset time_zone,
    millrace_offset children) {
    auto &fbb = builder->fbb;
    auto type = build_type(fbb, field, time_zone);
    Offset<arrow::DictionaryEncoding> dictionary = 0;
    if (field->is_dictionary) {
        auto index_type = arrow::CreateInt(fbb, field->index_bit_width, field->is_index_signed);
        dictionary = arrow::CreateDictionaryEncoding(fbb, field->dictionary_id, index_type, field->is_dictionary_ordered);
    }
    return arrow::CreateField(
               fbb, text(name), field->is_nullable, static_cast<arrow::Type>(field->type), type, dictionary,
               millrace::list<arrow::Field>(children))
        .o;
}

millrace_offset millrace_schema_build(millrace_builder *builder, millrace_offset fields) {
    return arrow::CreateSchema(builder->fbb, arrow::Endianness_Little, millrace::list<arrow::Field>(fields)).o;
}

millrace_offset millrace_schema_message_build(millrace_builder *builder, millrace_offset schema) {
    return arrow::CreateMessage(
               builder->fbb, arrow::MetadataVersion_V5, arrow::MessageHeader_Schema, Offset<void>(schema), 0)
        .o;
}

millrace_arrow_result millrace_batch_read(const void *bytes, size_t count, uint8_t kind, millrace_batch *out) {
    auto message = millrace::verified<arrow::Message>(bytes, count, batch_depth_max, batch_tables_max);
    if (!message) return millrace_arrow_malformed;
    if (auto result = check_version(message->version())) return result;
    if (message->header_type() != kind) return millrace_arrow_kind;

    auto batch = message->header_as_RecordBatch();
    out->dictionary_id = 0;
    out->is_delta = false;
    if (kind == millrace_message_dictionary) {
        auto dictionary = message->header_as_DictionaryBatch();
        if (!dictionary) return millrace_arrow_malformed;
        out->dictionary_id = dictionary->id();
        out->is_delta = dictionary->is_delta();
        batch = dictionary->data();
    }
    if (!batch) return millrace_arrow_malformed;
    auto nodes = batch->nodes();
    auto buffers = batch->buffers();
    out->row_count = batch->length();
    out->body_length = message->body_length();
    out->node_count = nodes ? nodes->size() : 0;
    out->nodes = nodes ? nodes->Data() : nullptr;
    out->buffer_count = buffers ? buffers->size() : 0;
    out->buffers = buffers ? buffers->Data() : nullptr;
    out->codec = -1;
    if (auto compression = batch->compression()) {
        if (compression->method() != arrow::BodyCompressionMethod_BUFFER) return millrace_arrow_compression;
        out->codec = compression->codec();
        if (out->codec != arrow::CompressionType_ZSTD && out->codec != arrow::CompressionType_LZ4_FRAME) {
            return millrace_arrow_compression;
        }
    }
    if (out->row_count < 0 || out->body_length < 0) return millrace_arrow_malformed;

    /* Unsigned, negative numbers are enormous: one comparison each. */
    auto body_length = static_cast<uint64_t>(out->body_length);
    bool is_outside = false;
    for (uint32_t index = 0; index < out->buffer_count; index++) {
        auto buffer = buffers->Get(index);
        auto offset = static_cast<uint64_t>(buffer->offset());
        auto length = static_cast<uint64_t>(buffer->length());
        is_outside |= (offset > body_length) | (length > body_length - offset);
    }
    return is_outside ? millrace_arrow_outside : millrace_arrow_ok;
}

millrace_offset millrace_batch_build(
    millrace_builder *builder, uint32_t node_count, uint32_t buffer_count, bool is_compressed) {
    auto &fbb = builder->fbb;
    fbb.ForceDefaults(true); /* numbers that are 0 here are patched later, so they need a place */
    auto buffers = fbb.CreateVectorOfStructs(std::vector<arrow::Buffer>(buffer_count));
    auto nodes = fbb.CreateVectorOfStructs(std::vector<arrow::FieldNode>(node_count));
    auto compression = is_compressed ? arrow::CreateBodyCompression(fbb, arrow::CompressionType_ZSTD) : 0;
    auto batch = arrow::CreateRecordBatch(
        fbb, 0, nodes, buffers, compression);
    return arrow::CreateMessage(fbb, arrow::MetadataVersion_V5, arrow::MessageHeader_RecordBatch, batch.Union(), 0).o;
}

void millrace_batch_locate(const void *bytes, millrace_batch_template *places) {
    auto start = static_cast<const uint8_t *>(bytes);
    auto message = flatbuffers::GetRoot<arrow::Message>(bytes);
    auto batch = message->header_as_RecordBatch();
    auto table = reinterpret_cast<const flatbuffers::Table *>(batch);
    auto root = reinterpret_cast<const flatbuffers::Table *>(message);
    places->row_count_at = table->GetAddressOf(arrow::RecordBatch::VT_LENGTH) - start;
    places->body_length_at = root->GetAddressOf(arrow::Message::VT_BODY_LENGTH) - start;
    places->nodes_at = batch->nodes()->Data() - start;
    places->buffers_at = batch->buffers()->Data() - start;
}

millrace_arrow_result millrace_footer_read(const void *bytes, size_t count, millrace_footer *out) {
    auto footer = millrace::verified<arrow::Footer>(bytes, count, schema_depth_max, schema_tables_max);
    if (!footer) return millrace_arrow_malformed;
    if (auto result = check_version(footer->version())) return result;
    out->dictionaries = footer->dictionaries();
    out->dictionary_count = footer->dictionaries() ? footer->dictionaries()->size() : 0;
    out->batches = footer->record_batches();
    out->batch_count = footer->record_batches() ? footer->record_batches()->size() : 0;
    return read_schema(footer->schema(), &out->fields);
}

static millrace_block block_at(const void *vector, size_t index) {
    auto block = static_cast<const Vector<const arrow::Block *> *>(vector)->Get(static_cast<flatbuffers::uoffset_t>(index));
    return {block->offset(), block->metadata_length(), block->body_length()};
}

millrace_block millrace_footer_dictionary(const millrace_footer *footer, size_t index) {
    return block_at(footer->dictionaries, index);
}

millrace_block millrace_footer_batch(const millrace_footer *footer, size_t index) { return block_at(footer->batches, index); }

millrace_offset millrace_footer_build(
    millrace_builder *builder, millrace_offset schema, const millrace_block *batches, size_t batch_count) {
    std::vector<arrow::Block> blocks;
    blocks.reserve(batch_count);
    for (size_t index = 0; index < batch_count; index++) {
        auto &block = batches[index];
        blocks.emplace_back(block.offset, static_cast<int32_t>(block.metadata_length), block.body_length);
    }
    auto &fbb = builder->fbb;
    auto dictionaries = fbb.CreateVectorOfStructs(std::vector<arrow::Block>());
    auto record_batches = fbb.CreateVectorOfStructs(blocks);
    return arrow::CreateFooter(
               fbb, arrow::MetadataVersion_V5, Offset<arrow::Schema>(schema), dictionaries, record_batches)
        .o;
}
