// redis_light FILE PORT EVENTS PIPELINED: light.sql's two features in Redis, exact, by a Lua script; prints nanoseconds per event.
//
// A card is a sorted set of its events of the last hour, scored by time, and a string with their sum. The script gives up what is
// older, adds the event, and answers count and sum. PIPELINED events are under way at once.
#include <hiredis/hiredis.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    int64_t ts, card, merchant;
    double amount;
    int64_t device;
    int16_t country;
    int8_t status, channel;
    int32_t unused;
} Event;

static const char *script =
    "local events, total, now, amount = KEYS[1], KEYS[2], ARGV[1], ARGV[2]\n"
    "local sum = tonumber(redis.call('GET', total) or '0')\n"
    "local bound = '(' .. ARGV[3]\n"
    "for _, member in ipairs(redis.call('ZRANGEBYSCORE', events, '-inf', bound)) do\n"
    "  sum = sum - tonumber(string.match(member, ':(.*)'))\n"
    "end\n"
    "redis.call('ZREMRANGEBYSCORE', events, '-inf', bound)\n"
    "redis.call('ZADD', events, now, now .. ':' .. amount)\n"
    "sum = sum + tonumber(amount)\n"
    "redis.call('SET', total, string.format('%.17g', sum))\n"
    "return {redis.call('ZCARD', events), string.format('%.17g', sum)}\n";

static void stop(const char *what) {
    fprintf(stderr, "redis_light: %s\n", what);
    exit(1);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc != 5) stop("FILE PORT EVENTS PIPELINED");
    long count = atol(argv[3]), pipelined = atol(argv[4]);
    Event *events = malloc(count * sizeof(Event));
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL) stop("cannot open the events");
    count = (long)fread(events, sizeof(Event), count, file);
    fclose(file);

    redisContext *redis = redisConnect("127.0.0.1", atoi(argv[2]));
    if (redis == NULL || redis->err) stop("cannot connect");
    redisReply *reply = redisCommand(redis, "SCRIPT LOAD %s", script);
    if (reply == NULL || reply->type != REDIS_REPLY_STRING) stop("the script is refused");
    char hash[64];
    snprintf(hash, sizeof hash, "%s", reply->str);
    freeReplyObject(reply);

    double start = seconds();
    for (long first = 0; first < count; first += pipelined) {
        long end = first + pipelined < count ? first + pipelined : count;
        for (long row = first; row < end; row++) {
            const Event *event = &events[row];
            redisAppendCommand(
                redis, "EVALSHA %s 2 e:%lld s:%lld %lld %.2f %lld", hash, (long long)event->card, (long long)event->card,
                (long long)event->ts, event->amount, (long long)event->ts - 3600000000ll);
        }
        for (long row = first; row < end; row++) {
            if (redisGetReply(redis, (void **)&reply) != REDIS_OK || reply->type != REDIS_REPLY_ARRAY) stop("an event is refused");
            freeReplyObject(reply);
        }
    }
    printf("%.1f\n", (seconds() - start) / count * 1e9);
    redisFree(redis);
    free(events);
    return 0;
}
