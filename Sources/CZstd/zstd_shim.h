/* Frame headers (window size before anything is decompressed) are in zstd's static interface; libzstd.a is linked. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
