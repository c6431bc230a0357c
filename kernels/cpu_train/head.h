/* What the WKV operators share: one head's tokens a chunk at a time, and its state.
 *
 * Inside, a state lies value by value, a row of N keys each, so that what is added over values needs no sum across a
 * register; outside (N keys, N values), as the engines have it. */
#ifndef TRAIN_HEAD_H
#define TRAIN_HEAD_H

#include "lanes.h"

enum {
    N = HEAD,
    VECTORS = N / LANES, /* of a row */
    ROWS = 4,            /* of the state that stay in registers over a chunk */
    CHUNK = 8,          /* tokens whose numbers stay in the first cache */
    CHUNKS = 8,          /* between two states that the forward pass keeps for the backward one */
    SPAN = CHUNK * CHUNKS
};

/* Registers have no index: what is to stay in one is only walked by loops without a counter. */
#define UNROLLED _Pragma("GCC unroll 4")

/* A vector that lies across two cache lines takes twice as long to load. */
typedef float state[N][N] __attribute__((aligned(64)));
typedef float tokens[CHUNK][N] __attribute__((aligned(64)));

INLINE void transpose(const float *from, float *to) {
    for (int row = 0; row < N; row++)
        for (int column = 0; column < N; column++) to[column * N + row] = from[row * N + column];
}

/* `count` tokens of a head, `stride` numbers apart. */
INLINE void get_tokens(tokens to, const void *from, size_t at, size_t stride, int count, enum kind kind) {
    for (int t = 0; t < count; t++)
        for (int i = 0; i < N; i += LANES) store(&to[t][i], get(from, at + t * stride + i, kind));
}

INLINE void put_tokens(void *to, tokens from, size_t at, size_t stride, int count, enum kind kind) {
    for (int t = 0; t < count; t++)
        for (int i = 0; i < N; i += LANES) put(to, at + t * stride + i, kind, load(&from[t][i]));
}

#endif
