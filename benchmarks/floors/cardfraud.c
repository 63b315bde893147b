// cardfraud roofline. cardfraud <file.bin> <light|full> <prefetch 0|1> <thp 0|1> [reps] [out.bin] [lat]
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <x86intrin.h>
typedef struct {
    int64_t ts, card, mer;
    double amt;
    int64_t dev;
    int16_t country;
    int8_t status, ch;
    int32_t pad;
} Ev;
#define MIN10 600000000ll
#define H1 3600000000ll
#define H24 86400000000ll
static double now() {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}
static inline uint64_t hsh(uint64_t x) {
    x ^= x >> 32;
    x *= 0x9E3779B97F4A7C15ull;
    return x ^ (x >> 29);
}
static int THP;
static void* bigalloc(size_t s) {
    s = (s + (2 << 20) - 1) & ~((size_t)(2 << 20) - 1);
    char* p = mmap(0, s + (2 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p = (char*)(((uintptr_t)p + (2 << 20) - 1) & ~((uintptr_t)(2 << 20) - 1));
    madvise(p, s, THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    return p;
}
// arena, pow2 size classes with free lists
static char *AR, *ARE, *AR0;
static void* fl[40];
static inline void* aalloc(int k) {
    if (k < 6) k = 6;
    if (fl[k]) {
        void* p = fl[k];
        fl[k] = *(void**)p;
        return p;
    }
    size_t s = 1ull << k;
    char* p = AR;
    AR += s;
    if (AR > ARE) {
        fprintf(stderr, "arena full\n");
        exit(1);
    }
    return p;
}
static inline void afree(void* p, int k) {
    if (k < 6) k = 6;
    *(void**)p = fl[k];
    fl[k] = p;
}
static void areset(size_t s) {
    if (!AR0) {
        AR0 = bigalloc(s);
        memset(AR0, 0, s);
    }
    AR = AR0;
    ARE = AR0 + s;
    memset(fl, 0, sizeof fl);
}
/* ---------- light ---------- */
typedef struct {
    int64_t ts;
    double amt;
} E16;
typedef struct __attribute__((aligned(64))) {
    int64_t key;
    E16* ring;
    double sum;
    uint32_t head, tail;
    uint32_t k;
    uint32_t used;
} LCard;
#define NS (1u << 21)
static LCard* LT;
static inline LCard* lfind(int64_t key) {
    uint32_t h = hsh(key) & (NS - 1);
    while (LT[h].used && LT[h].key != key) h = (h + 1) & (NS - 1);
    return &LT[h];
}
typedef struct {
    double cnt, sum;
} OL;
static inline void grow16(E16** r, uint32_t* k, uint32_t head, uint32_t tail) {
    uint32_t om = (1u << *k) - 1, nk = *k + 1, nm = (1u << nk) - 1;
    E16* n = aalloc(nk + 4);
    for (uint32_t i = head; i != tail; i++) n[i & nm] = (*r)[i & om];
    afree(*r, *k + 4);
    *r = n;
    *k = nk;
}
static inline void lproc(LCard* c, const Ev* e, OL* o) {
    if (__builtin_expect(!c->used, 0)) {
        c->used = 1;
        c->key = e->card;
        c->k = 2;
        c->ring = aalloc(6);
        c->head = c->tail = 0;
        c->sum = 0;
    }
    int64_t lo = e->ts - H1;
    uint32_t m = (1u << c->k) - 1;
    while (c->head != c->tail && c->ring[c->head & m].ts < lo) {
        c->sum -= c->ring[c->head & m].amt;
        c->head++;
    }
    if (c->head == c->tail) c->sum = 0;
    if (__builtin_expect(c->tail - c->head == m + 1, 0)) {
        grow16(&c->ring, &c->k, c->head, c->tail);
        m = (1u << c->k) - 1;
    }
    c->ring[c->tail++ & m] = (E16){e->ts, e->amt};
    c->sum += e->amt;
    o->cnt = c->tail - c->head;
    o->sum = c->sum;
}
/* ---------- full ---------- */
typedef struct {
    int64_t ts;
    double amt;
    uint32_t mer;
    uint32_t status;
} E24;  // 24 B
typedef struct {
    uint32_t key, cnt;
} DS;
typedef struct __attribute__((aligned(128))) {
    int64_t key;
    E24* ring;
    DS* ds;
    uint32_t* dq;
    double s1, s24;
    int64_t last;
    uint32_t h24, h1, h10, tail;
    uint32_t dqh, dqt;
    uint32_t decl, dist;
    uint16_t k, dsk, dqk, used;
} Card;
typedef struct __attribute__((aligned(64))) {
    int64_t key;
    E16* ring;
    double sum;
    uint32_t h1, h10, tail;
    uint32_t k;
    uint32_t used, idx;
} Mer;
typedef struct {
    int64_t key;
    uint32_t idx, used;
} Slot;
#define NM (1u << 17)
static Slot* ST;
static Card* CS;
static uint32_t nc;
static Mer* MT;
static uint32_t nm;
typedef struct {
    double c10, c1h, s1h, avg24, max24, decl, dist, since, mc10, ms1h;
} OF;
static inline Card* cfind(int64_t key) {
    uint32_t h = hsh(key) & (NS - 1);
    while (ST[h].used) {
        if (ST[h].key == key) return &CS[ST[h].idx];
        h = (h + 1) & (NS - 1);
    }
    ST[h] = (Slot){key, nc, 1};
    Card* c = &CS[nc++];
    memset(c, 0, sizeof *c);
    c->key = key;
    c->used = 1;
    c->k = 2;
    c->ring = aalloc(7);
    c->last = INT64_MIN;
    return c;
}
static inline Mer* mfind(int64_t key) {
    uint32_t h = hsh(key) & (NM - 1);
    while (MT[h].used) {
        if (MT[h].key == key) return &MT[h];
        h = (h + 1) & (NM - 1);
    }
    Mer* m = &MT[h];
    m->used = 1;
    m->key = key;
    m->k = 2;
    m->ring = aalloc(6);
    m->h1 = m->h10 = m->tail = 0;
    m->sum = 0;
    m->idx = nm++;
    return m;
}
#define BIG 4  // ring >= 32 entries -> hashed distinct + deque
static inline int rk(int k) {
    return k + 5;
}  // bytes: 24*2^k < 32*2^k
static inline void dsput(DS* d, uint32_t m, uint32_t key, uint32_t cnt) {
    uint32_t h = (key * 0x9E3779B1u >> 7) & m;
    while (d[h].key != ~0u) h = (h + 1) & m;
    d[h] = (DS){key, cnt};
}
static inline int dsadd(Card* c, uint32_t key) {
    uint32_t m = (1u << c->dsk) - 1, h = (key * 0x9E3779B1u >> 7) & m;
    DS* d = c->ds;
    while (d[h].key != ~0u) {
        if (d[h].key == key) {
            d[h].cnt++;
            return 0;
        }
        h = (h + 1) & m;
    }
    d[h] = (DS){key, 1};
    if ((c->dist + 1) * 4 > (m + 1) * 3) {
        int nk = c->dsk + 1;
        DS* n = aalloc(nk + 3);
        memset(n, 0xff, 8ull << nk);
        for (uint32_t i = 0; i <= m; i++)
            if (d[i].key != ~0u) dsput(n, (1u << nk) - 1, d[i].key, d[i].cnt);
        afree(d, c->dsk + 3);
        c->ds = n;
        c->dsk = nk;
    }
    return 1;
}
static inline int dsdel(Card* c, uint32_t key) {
    uint32_t m = (1u << c->dsk) - 1, h = (key * 0x9E3779B1u >> 7) & m;
    DS* d = c->ds;
    while (d[h].key != key) h = (h + 1) & m;
    if (--d[h].cnt) return 0;
    uint32_t i = h, j = h;
    for (;;) {
        j = (j + 1) & m;
        if (d[j].key == ~0u) break;
        uint32_t w = (d[j].key * 0x9E3779B1u >> 7) & m;
        if (((j - w) & m) >= ((j - i) & m)) {
            d[i] = d[j];
            i = j;
        }
    }
    d[i].key = ~0u;
    return 1;
}
static inline int scan_has(Card* c, uint32_t m, uint32_t from, uint32_t key) {
    for (uint32_t i = from; i != c->tail; i++)
        if (c->ring[i & m].mer == key) return 1;
    return 0;
}
static void dqpush(Card* c, uint32_t pos, double amt, uint32_t m) {
    uint32_t dm = (1u << c->dqk) - 1;
    while (c->dqh != c->dqt && c->ring[c->dq[(c->dqt - 1) & dm] & m].amt <= amt) c->dqt--;
    if (c->dqt - c->dqh == dm + 1) {
        int nk = c->dqk + 1;
        uint32_t* n = aalloc(nk + 2);
        uint32_t nmk = (1u << nk) - 1;
        for (uint32_t i = c->dqh; i != c->dqt; i++) n[i & nmk] = c->dq[i & dm];
        afree(c->dq, c->dqk + 2);
        c->dq = n;
        c->dqk = nk;
        dm = nmk;
    }
    c->dq[c->dqt++ & dm] = pos;
}
static void cgrow(Card* c) {
    uint32_t om = (1u << c->k) - 1;
    int nk = c->k + 1;
    uint32_t nm = (1u << nk) - 1;
    E24* n = aalloc(rk(nk));
    for (uint32_t i = c->h24; i != c->tail; i++) n[i & nm] = c->ring[i & om];
    afree(c->ring, rk(c->k));
    c->ring = n;
    c->k = nk;
    if (nk == BIG + 1) {  // build hashed structures
        c->dsk = 6;
        c->ds = aalloc(9);
        memset(c->ds, 0xff, 8 << 6);
        c->dqk = 4;
        c->dq = aalloc(6);
        c->dqh = c->dqt = 0;
        uint32_t sv = c->dist;
        c->dist = 0;
        for (uint32_t i = c->h24; i != c->tail; i++) {
            c->dist += dsadd(c, n[i & nm].mer);
            dqpush(c, i, n[i & nm].amt, nm);
        }
        if (sv != c->dist) {
            fprintf(stderr, "dist mismatch\n");
            exit(1);
        }
    }
}
static inline void fproc(Card* c, Mer* M, const Ev* e, OF* o) {
    int64_t t = e->ts;
    uint32_t m = (1u << c->k) - 1;
    // evict
    while (c->h10 != c->tail && c->ring[c->h10 & m].ts < t - MIN10) c->h10++;
    while (c->h1 != c->tail && c->ring[c->h1 & m].ts < t - H1) {
        E24* x = &c->ring[c->h1++ & m];
        c->s1 -= x->amt;
        c->decl -= x->status;
    }
    while (c->h24 != c->tail && c->ring[c->h24 & m].ts < t - H24) {
        E24* x = &c->ring[c->h24 & m];
        uint32_t p = c->h24++;
        c->s24 -= x->amt;
        if (c->k > BIG) {
            c->dist -= dsdel(c, x->mer);
            if (c->dqh != c->dqt && c->dq[c->dqh & ((1u << c->dqk) - 1)] == p) c->dqh++;
        } else if (!scan_has(c, m, c->h24, x->mer))
            c->dist--;
    }
    if (c->h1 == c->tail) c->s1 = 0;
    if (c->h24 == c->tail) c->s24 = 0;
    if (__builtin_expect(c->tail - c->h24 == m + 1, 0)) {
        cgrow(c);
        m = (1u << c->k) - 1;
    }
    double mx;
    uint32_t mi = M->idx;
    if (c->k > BIG)
        c->dist += dsadd(c, mi);
    else
        c->dist += !scan_has(c, m, c->h24, mi);
    c->ring[c->tail & m] = (E24){t, e->amt, mi, (uint32_t)e->status};
    if (c->k > BIG) {
        dqpush(c, c->tail, e->amt, m);
        c->tail++;
        mx = c->ring[c->dq[c->dqh & ((1u << c->dqk) - 1)] & m].amt;
    } else {
        c->tail++;
        mx = e->amt;
        for (uint32_t i = c->h24; i != c->tail; i++) {
            double a = c->ring[i & m].amt;
            mx = a > mx ? a : mx;
        }
    }
    c->s1 += e->amt;
    c->s24 += e->amt;
    c->decl += e->status;
    o->c10 = c->tail - c->h10;
    o->c1h = c->tail - c->h1;
    o->s1h = c->s1;
    o->avg24 = c->s24 / (c->tail - c->h24);
    o->max24 = mx;
    o->decl = c->decl;
    o->dist = c->dist;
    o->since = c->last == INT64_MIN ? -1 : (t - c->last) / 1e6;
    c->last = t;
    // merchant
    uint32_t mm = (1u << M->k) - 1;
    while (M->h10 != M->tail && M->ring[M->h10 & mm].ts < t - MIN10) M->h10++;
    while (M->h1 != M->tail && M->ring[M->h1 & mm].ts < t - H1) {
        M->sum -= M->ring[M->h1++ & mm].amt;
    }
    if (M->h1 == M->tail) M->sum = 0;
    if (__builtin_expect(M->tail - M->h1 == mm + 1, 0)) {
        grow16(&M->ring, &M->k, M->h1, M->tail);
        mm = (1u << M->k) - 1;
    }
    M->ring[M->tail++ & mm] = (E16){t, e->amt};
    M->sum += e->amt;
    o->mc10 = M->tail - M->h10;
    o->ms1h = M->sum;
}
static int cmp(const void* a, const void* b) {
    uint32_t x = *(uint32_t*)a, y = *(uint32_t*)b;
    return x < y ? -1 : x > y;
}
int main(int ac, char** v) {
    int full = !strcmp(v[2], "full"), pf = atoi(v[3]);
    THP = atoi(v[4]);
    int reps = ac > 5 ? atoi(v[5]) : 3;
    char* outf = ac > 6 && strcmp(v[6], "-") ? v[6] : 0;
    int lat = ac > 7;
    FILE* f = fopen(v[1], "rb");
    fseek(f, 0, SEEK_END);
    size_t sz = ftell(f);
    rewind(f);
    size_t N = sz / 48;
    Ev* ev = bigalloc(sz + 4096);
    if (fread(ev, 48, N, f) != N) return 1;
    fclose(f);
    size_t orow = full ? sizeof(OF) : sizeof(OL);
    char* out = outf ? bigalloc(N * orow) : bigalloc(1024 * orow);
    if (outf) memset(out, 0, N * orow);
    uint64_t omask = outf ? ~0ull : 1023;
    uint32_t* L = lat ? malloc(N * 4) : 0;
    double tscns = 0;
    if (lat) {
        double a = now();
        uint64_t b = __rdtsc();
        while (now() - a < 5e7);
        tscns = (now() - a) / (__rdtsc() - b);
    }
    if (full) {
        ST = bigalloc(sizeof(Slot) * (size_t)NS);
        CS = bigalloc(sizeof(Card) * 1200000ul);
        MT = bigalloc(sizeof(Mer) * (size_t)NM);
        memset(CS, 0, sizeof(Card) * 1200000ul);
    } else
        LT = bigalloc(sizeof(LCard) * (size_t)NS);
    for (int r = 0; r < reps; r++) {
        if (full) {
            memset(ST, 0, sizeof(Slot) * (size_t)NS);
            memset(MT, 0, sizeof(Mer) * (size_t)NM);
            nc = nm = 0;
        } else
            memset(LT, 0, sizeof(LCard) * (size_t)NS);
        areset(full ? 3ull << 30 : 1ull << 30);
        double t0 = now();
        double chk = 0;
        if (!full) {
            OL* o = (OL*)out;
            if (!pf) {
                for (size_t i = 0; i < N; i++) {
                    uint64_t a = lat ? __rdtsc() : 0;
                    OL* q = &o[i & omask];
                    lproc(lfind(ev[i].card), &ev[i], q);
                    chk += q->cnt;
                    if (lat) L[i] = __rdtsc() - a;
                }
            } else {
                enum { D1 = 24, D2 = 12 };
                LCard* pp[64];
                for (size_t i = 0; i < N + D1; i++) {
                    if (i < N) __builtin_prefetch(&LT[hsh(ev[i].card) & (NS - 1)], 1);
                    if (i >= D1 - D2 && i - (D1 - D2) < N) {
                        size_t j = i - (D1 - D2);
                        LCard* c = lfind(ev[j].card);
                        pp[j & 63] = c;
                        if (c->used) {
                            __builtin_prefetch(&c->ring[c->tail & ((1u << c->k) - 1)], 1);
                            __builtin_prefetch(&c->ring[c->head & ((1u << c->k) - 1)]);
                        }
                    }
                    if (i >= D1) {
                        size_t j = i - D1;
                        OL* q = &o[j & omask];
                        LCard* c = pp[j & 63];
                        if (!c->used || c->key != ev[j].card) c = lfind(ev[j].card);
                        lproc(c, &ev[j], q);
                        chk += q->cnt;
                    }
                }
            }
        } else {
            OF* o = (OF*)out;
            if (!pf) {
                for (size_t i = 0; i < N; i++) {
                    uint64_t a = lat ? __rdtsc() : 0;
                    OF* q = &o[i & omask];
                    fproc(cfind(ev[i].card), mfind(ev[i].mer), &ev[i], q);
                    chk += q->c1h;
                    if (lat) L[i] = __rdtsc() - a;
                }
            } else {
                enum { D1 = 32, D2 = 24, D3 = 16, D4 = 8 };
                Card* pc[64];
                Mer* pm[64];
                for (size_t i = 0; i < N + D1; i++) {
                    if (i < N) {
                        __builtin_prefetch(&ST[hsh(ev[i].card) & (NS - 1)]);
                        __builtin_prefetch(&MT[hsh(ev[i].mer) & (NM - 1)], 1);
                    }
                    if (i >= D1 - D2 && i - (D1 - D2) < N) {
                        size_t j = i - (D1 - D2);
                        Card* c = cfind(ev[j].card);
                        pc[j & 63] = c;
                        __builtin_prefetch(c, 1);
                        __builtin_prefetch((char*)c + 64, 1);
                        pm[j & 63] = mfind(ev[j].mer);
                    }
                    if (i >= D1 - D3 && i - (D1 - D3) < N) {
                        size_t j = i - (D1 - D3);
                        Card* c = pc[j & 63];
                        uint32_t m = (1u << c->k) - 1;
                        __builtin_prefetch(&c->ring[c->tail & m], 1);
                        __builtin_prefetch(&c->ring[c->h1 & m]);
                        __builtin_prefetch(&c->ring[c->h10 & m]);
                        __builtin_prefetch(&c->ring[c->h24 & m]);
                        if (c->k > BIG) {
                            __builtin_prefetch(&c->ds[(pm[j & 63]->idx * 0x9E3779B1u >> 7) & ((1u << c->dsk) - 1)], 1);
                            __builtin_prefetch(&c->dq[c->dqh & ((1u << c->dqk) - 1)]);
                            __builtin_prefetch(&c->dq[(c->dqt - 1) & ((1u << c->dqk) - 1)], 1);
                        }
                        Mer* M = pm[j & 63];
                        uint32_t mm = (1u << M->k) - 1;
                        __builtin_prefetch(&M->ring[M->tail & mm], 1);
                        __builtin_prefetch(&M->ring[M->h1 & mm]);
                        __builtin_prefetch(&M->ring[M->h10 & mm]);
                    }
                    if (i >= D1 - D4 && i - (D1 - D4) < N) {
                        size_t j = i - (D1 - D4);
                        Card* c = pc[j & 63];
                        if (c->k > BIG) {
                            uint32_t m = (1u << c->k) - 1;
                            __builtin_prefetch(&c->ring[c->dq[c->dqh & ((1u << c->dqk) - 1)] & m]);
                            E24* x = &c->ring[c->h24 & m];
                            if (c->h24 != c->tail && x->ts < ev[j].ts - H24)
                                __builtin_prefetch(&c->ds[(x->mer * 0x9E3779B1u >> 7) & ((1u << c->dsk) - 1)], 1);
                        }
                    }
                    if (i >= D1) {
                        size_t j = i - D1;
                        OF* q = &o[j & omask];
                        fproc(pc[j & 63], pm[j & 63], &ev[j], q);
                        chk += q->c1h;
                    }
                }
            }
        }
        double d = now() - t0;
        struct rusage u;
        getrusage(RUSAGE_SELF, &u);
        printf("%s %s pf=%d thp=%d: %.1f ns/event %.2f M ev/s arena=%.0fMB rss=%.0fMB chk=%.0f\n", v[1], v[2], pf, THP,
               d / N, N / d * 1e3, (AR - AR0) / 1e6, u.ru_maxrss / 1e3, chk);
        fflush(stdout);
    }
    if (lat) {
        qsort(L, N, 4, cmp);
        printf(" per-event latency ns: p50=%.0f p99=%.0f p99.9=%.0f p99.99=%.0f max=%.0f\n", L[N / 2] * tscns,
               L[(size_t)(N * .99)] * tscns, L[(size_t)(N * .999)] * tscns, L[(size_t)(N * .9999)] * tscns,
               L[N - 1] * tscns);
    }
    if (outf) {
        FILE* g = fopen(outf, "wb");
        fwrite(out, orow, N, g);
        fclose(g);
    }
}
