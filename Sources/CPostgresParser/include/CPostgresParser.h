// PostgreSQL's own parser (libpg_query) as C structs, and a stack that is deep enough to run it on.
#pragma once

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>
#include <stddef.h>

// Runs body(context) to its end on the process's parser thread, which has a stack of stack_bytes (those of the first
// call), one caller at a time: PostgreSQL's parser, the protobuf unpacker and the walks over the tree recurse with the
// depth of the statement, and the caller's own stack may be small. Returns 0, or the errno of the thread that could not
// be created, or EDEADLK when called from a body; body has not run then.
int CPostgresParser_run_on_stack(size_t stack_bytes, void (*body)(void *context), void *context);
