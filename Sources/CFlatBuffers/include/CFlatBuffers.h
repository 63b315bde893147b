#ifndef MILLRACE_FLATBUFFERS_H
#define MILLRACE_FLATBUFFERS_H

/* The FlatBuffers of schemas/arrow.fbs and schemas/protocol.fbs behind flat C functions. Reading verifies first, with low limits on depth and number of
   tables; what comes out points into the bytes that went in. Nothing here throws, and nothing keeps a pointer. */

#include "CFlatBuffersArrow.h"
#include "CFlatBuffersProtocol.h"

#endif
