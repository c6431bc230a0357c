/* Arithmetic on vectors of LANES floats, which each path defines as its registers' width; GCC's and clang's vector
 * extensions turn it into that path's instructions. */
#ifndef RADIO_VECTOR_H
#define RADIO_VECTOR_H

#include <float.h>
#include <string.h>

#include "model.h"

#define INLINE static inline __attribute__((always_inline))
#define PARTS (PANEL / LANES) /* vectors of a line */

static const float LAYER_NORM_EPS = 1e-5f, GROUP_NORM_EPS = 64e-5f;

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef uint32_t uvec __attribute__((vector_size(4 * LANES)));
typedef int8_t bytes __attribute__((vector_size(LANES)));

INLINE vec load(const float *from) {
    vec value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(float *to, vec value) { memcpy(to, &value, sizeof value); }

/* A part of a line: copied whole, it would go through memory. */
INLINE uvec part_of(const void *line, int part) {
    uvec value;
    memcpy(&value, (const char *)line + (size_t)part * sizeof value, sizeof value);
    return value;
}

INLINE vec all(float value) { return value - (vec){0}; } /* −0 stays −0 */

INLINE ivec all_ints(int32_t value) { return value + (ivec){0}; }

INLINE vec pick(ivec which, vec yes, vec no) { return (vec)(((ivec)yes & which) | ((ivec)no & ~which)); }

INLINE vec larger(vec a, vec b) { return pick(a > b, a, b); }

INLINE vec smaller(vec a, vec b) { return pick(a < b, a, b); }

INLINE vec magnitude(vec value) { return (vec)((ivec)value & all_ints(INT32_MAX)); }

INLINE float sum(vec value) {
    float lane[LANES];
    store(lane, value);
    for (int half = LANES / 2; half; half /= 2)
        for (int place = 0; place < half; place++) lane[place] += lane[place + half];
    return lane[0];
}

INLINE float largest(vec value) {
    float lane[LANES];
    store(lane, value);
    for (int half = LANES / 2; half; half /= 2)
        for (int place = 0; place < half; place++)
            lane[place] = lane[place] > lane[place + half] ? lane[place] : lane[place + half];
    return lane[0];
}

/* To the nearest integer, ties to even, for magnitudes below 2²². */
INLINE vec rounded(vec value) { return value + all(0x1.8p23f) - all(0x1.8p23f); }

INLINE ivec rounded_ints(vec value) { return (ivec)(value + all(0x1.8p23f)) - all_ints(0x4b400000); }

/* e^x within 2 units in the last place; x is held to where the result is a normal number.
 * Source: Cephes, expf: x = n·ln 2 + f, ln 2 in two parts, a polynomial of degree 7 for e^f. */
INLINE vec exponential(vec x) {
    x = smaller(larger(x, all(-87.3f)), all(88.3f));
    vec n = rounded(x * all(1.44269504f));
    vec f = x - n * all(0.693359375f) + n * all(2.12194440e-4f);
    vec p = all(1.9875691500e-4f);
    p = p * f + all(1.3981999507e-3f);
    p = p * f + all(8.3334519073e-3f);
    p = p * f + all(4.1665795894e-2f);
    p = p * f + all(1.6666665459e-1f);
    p = p * f + all(5.0000001201e-1f);
    p = p * f * f + f + all(1.0f);
    uvec exponent = (uvec)(__builtin_convertvector(n, ivec) + all_ints(127)) << 23;
    return p * (vec)exponent;
}

INLINE vec sigmoid(vec x) { return all(1.0f) / (all(1.0f) + exponential(-x)); }

INLINE vec hyperbolic_tangent(vec x) { return all(1.0f) - all(2.0f) / (all(1.0f) + exponential(x + x)); }

/* y = (x − mean) / √(variance + eps) · weight + bias over `count` values, a multiple of 16. */
INLINE void normalise(const float *x, struct norm norm, float eps, int count, float *y) {
    vec total = {0}, squares = {0};
    for (int i = 0; i < count; i += LANES) total += load(x + i);
    vec mean = all(sum(total) / (float)count);
    for (int i = 0; i < count; i += LANES) {
        vec centred = load(x + i) - mean;
        squares += centred * centred;
    }
    vec factor = all(1.0f / __builtin_sqrtf(sum(squares) / (float)count + eps));
    for (int i = 0; i < count; i += LANES)
        store(y + i, (load(x + i) - mean) * factor * load(norm.weight + i) + load(norm.bias + i));
}

#endif
