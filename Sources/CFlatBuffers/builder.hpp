#ifndef MILLRACE_BUILDER_HPP
#define MILLRACE_BUILDER_HPP

#include <flatbuffers/flatbuffers.h>

#include "CFlatBuffersBuilder.h"

struct millrace_builder {
    flatbuffers::FlatBufferBuilder fbb;
};

namespace millrace {

inline flatbuffers::Offset<flatbuffers::String> text(millrace_offset place) { return place; }

template <typename T>
inline flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<T>>> list(millrace_offset place) { return place; }

inline millrace_text text(const flatbuffers::String *string) {
    if (!string) return {nullptr, 0};
    return {string->Data(), string->size()};
}

/* Verified root table of type T, or NULL. */
template <typename T>
const T *verified(const void *bytes, size_t count, uint32_t depth_max, uint32_t tables_max) {
    if (count < 8 || count >= FLATBUFFERS_MAX_BUFFER_SIZE) return nullptr;
    flatbuffers::Verifier verifier(static_cast<const uint8_t *>(bytes), count, depth_max, tables_max);
    if (!verifier.VerifyBuffer<T>(nullptr)) return nullptr;
    return flatbuffers::GetRoot<T>(bytes);
}

}  // namespace millrace

#endif
