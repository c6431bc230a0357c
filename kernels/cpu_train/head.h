/* Shared code of the WKV operators: chunks of tokens of one head, and its state.
 *
 * Internally a state is stored as (N values, N keys), so that sums over values need no addition across a register.
 * Outside it is (N keys, N values), as in the engines. */
#ifndef TRAIN_HEAD_H
#define TRAIN_HEAD_H

#include "lanes.h"

enum {
    N = HEAD,
    VECTORS = N / LANES, /* per row */
    ROWS = 4,            /* rows of the state that stay in registers during a chunk */
    CHUNK = 8,           /* tokens whose values stay in the L1 cache */
    CHUNKS = 8,          /* chunks between two states that the forward pass saves for the backward pass */
    SPAN = CHUNK * CHUNKS
};

/* Registers cannot be indexed, so loops over values in registers must be unrolled. */
#define UNROLLED _Pragma("GCC unroll 4")

/* Aligned, since loading a vector that crosses a cache line takes twice as long. */
typedef float state[N][N] __attribute__((aligned(64)));
typedef float tokens[CHUNK][N] __attribute__((aligned(64)));

INLINE void transpose(const float *from, float *to) {
    for (int row = 0; row < N; row++)
        for (int column = 0; column < N; column++) to[column * N + row] = from[row * N + column];
}

/* Load `count` tokens of a head, `stride` elements apart. */
INLINE void get_tokens(tokens to, const void *from, size_t at, size_t stride, int count, enum dtype dtype) {
    for (int t = 0; t < count; t++)
        for (int i = 0; i < N; i += LANES) store(&to[t][i], get(from, at + t * stride + i, dtype));
}

INLINE void put_tokens(void *to, tokens from, size_t at, size_t stride, int count, enum dtype dtype) {
    for (int t = 0; t < count; t++)
        for (int i = 0; i < N; i += LANES) put(to, at + t * stride + i, dtype, load(&from[t][i]));
}

#endif
