#include "CPostgresParser.h"

#include <pthread.h>

struct call {
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    struct call *call = argument;
    call->body(call->context);
    return NULL;
}

int CPostgresParser_run_on_stack(size_t stack_bytes, void (*body)(void *context), void *context) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error) return error;
    struct call call = {body, context};
    pthread_t thread;
    error = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (!error) error = pthread_create(&thread, &attributes, run, &call);
    pthread_attr_destroy(&attributes);
    return error ? error : pthread_join(thread, NULL);
}
