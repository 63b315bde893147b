#include "CPostgresParser.h"

#include <errno.h>
#include <pthread.h>

// One thread, started with the first call and kept: libpg_query creates a pthread key in every thread that it is called
// on and never gives it back, and a process has 1,024 of them.
struct call {
    void (*body)(void *);
    void *context;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;  // held by the caller whose call is under way
static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER; // of the variables below
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct call *pending;
static int is_started;                                    // of `turn`
static _Thread_local int is_parser;

static void *run(void *unused) {
    (void)unused;
    is_parser = 1;
    pthread_mutex_lock(&state);
    for (;;) {
        while (!pending) pthread_cond_wait(&changed, &state);
        struct call *call = pending;
        pthread_mutex_unlock(&state);
        call->body(call->context);
        pthread_mutex_lock(&state);
        pending = NULL;
        pthread_cond_broadcast(&changed);
    }
    return NULL;
}

static int start(size_t stack_bytes) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error) return error;
    error = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (!error) error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (!error) error = pthread_create(&thread, &attributes, run, NULL);
    pthread_attr_destroy(&attributes);
    is_started = !error;
    return error;
}

int CPostgresParser_run_on_stack(size_t stack_bytes, void (*body)(void *context), void *context) {
    if (is_parser) return EDEADLK;
    pthread_mutex_lock(&turn);
    int error = is_started ? 0 : start(stack_bytes);
    if (!error) {
        struct call call = {body, context};
        pthread_mutex_lock(&state);
        pending = &call;
        pthread_cond_broadcast(&changed);
        while (pending) pthread_cond_wait(&changed, &state);
        pthread_mutex_unlock(&state);
    }
    pthread_mutex_unlock(&turn);
    return error;
}
