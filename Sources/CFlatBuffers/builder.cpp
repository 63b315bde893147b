#include "builder.hpp"

millrace_builder *millrace_builder_create(void) { return new millrace_builder(); }

void millrace_builder_destroy(millrace_builder *builder) { delete builder; }

millrace_offset millrace_builder_text(millrace_builder *builder, const uint8_t *bytes, size_t count) {
    return builder->fbb.CreateString(reinterpret_cast<const char *>(bytes), count).o;
}

millrace_offset millrace_builder_vector(millrace_builder *builder, const millrace_offset *items, size_t count) {
    builder->fbb.StartVector(count, sizeof(flatbuffers::uoffset_t));
    for (size_t index = count; index > 0; index--) {
        builder->fbb.PushElement(flatbuffers::Offset<flatbuffers::String>(items[index - 1]));
    }
    return builder->fbb.EndVector(count);
}

millrace_offset millrace_builder_bytes(millrace_builder *builder, const uint8_t *bytes, size_t count) {
    return builder->fbb.CreateVector(bytes, count).o;
}

const uint8_t *millrace_builder_finish(millrace_builder *builder, millrace_offset root, size_t *count) {
    builder->fbb.Finish(flatbuffers::Offset<flatbuffers::Table>(root));
    *count = builder->fbb.GetSize();
    return builder->fbb.GetBufferPointer();
}
