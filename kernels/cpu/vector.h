/* Arithmetic on vectors of LANES floats. Each path defines LANES as the width of its registers, and the vector
 * extensions of GCC and clang compile the code to its instructions. */
#ifndef RADIO_VECTOR_H
#define RADIO_VECTOR_H

#include <float.h>
#include <string.h>

#include "model.h"

#define INLINE static inline __attribute__((always_inline))
#define PARTS (PANEL / LANES) /* vectors per line */

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

/* Load one vector of a line. Copying the whole line would go through memory. */
INLINE uvec load_part(const void *line, int part) {
    uvec value;
    memcpy(&value, (const char *)line + (size_t)part * sizeof value, sizeof value);
    return value;
}

INLINE vec splat(float value) { return value - (vec){0}; } /* −0 stays −0 */

INLINE ivec splat_ints(int32_t value) { return value + (ivec){0}; }

INLINE vec blend(ivec mask, vec yes, vec no) { return (vec)(((ivec)yes & mask) | ((ivec)no & ~mask)); }

INLINE vec larger(vec a, vec b) { return blend(a > b, a, b); }

INLINE vec smaller(vec a, vec b) { return blend(a < b, a, b); }

INLINE vec magnitude(vec value) { return (vec)((ivec)value & splat_ints(INT32_MAX)); }

INLINE float sum(vec value) {
    float lane[LANES];
    store(lane, value);
    for (int half = LANES / 2; half; half /= 2)
        for (int index = 0; index < half; index++) lane[index] += lane[index + half];
    return lane[0];
}

INLINE float largest(vec value) {
    float lane[LANES];
    store(lane, value);
    for (int half = LANES / 2; half; half /= 2)
        for (int index = 0; index < half; index++)
            lane[index] = lane[index] > lane[index + half] ? lane[index] : lane[index + half];
    return lane[0];
}

/* Round to the nearest integer, ties to even, for magnitudes below 2²². */
INLINE vec rounded(vec value) { return value + splat(0x1.8p23f) - splat(0x1.8p23f); }

INLINE ivec rounded_ints(vec value) { return (ivec)(value + splat(0x1.8p23f)) - splat_ints(0x4b400000); }

/* e^x within 2 units in the last place; x is clamped so that the result is a normal number.
 * Source: Cephes, expf: x = n·ln 2 + f, ln 2 in two parts, a polynomial of degree 7 for e^f. */
INLINE vec exponential(vec x) {
    x = smaller(larger(x, splat(-87.3f)), splat(88.3f));
    vec n = rounded(x * splat(1.44269504f));
    vec f = x - n * splat(0.693359375f) + n * splat(2.12194440e-4f);
    vec p = splat(1.9875691500e-4f);
    p = p * f + splat(1.3981999507e-3f);
    p = p * f + splat(8.3334519073e-3f);
    p = p * f + splat(4.1665795894e-2f);
    p = p * f + splat(1.6666665459e-1f);
    p = p * f + splat(5.0000001201e-1f);
    p = p * f * f + f + splat(1.0f);
    uvec exponent = (uvec)(__builtin_convertvector(n, ivec) + splat_ints(127)) << 23;
    return p * (vec)exponent;
}

INLINE vec sigmoid(vec x) { return splat(1.0f) / (splat(1.0f) + exponential(-x)); }

INLINE vec hyperbolic_tangent(vec x) { return splat(1.0f) - splat(2.0f) / (splat(1.0f) + exponential(x + x)); }

/* y = (x − mean) / √(variance + eps) · weight + bias over `count` values, a multiple of 16. */
INLINE void normalize(const float *x, struct norm norm, float eps, int count, float *y) {
    vec total = {0}, squares = {0};
    for (int i = 0; i < count; i += LANES) total += load(x + i);
    vec mean = splat(sum(total) / (float)count);
    for (int i = 0; i < count; i += LANES) {
        vec centered = load(x + i) - mean;
        squares += centered * centered;
    }
    vec factor = splat(1.0f / __builtin_sqrtf(sum(squares) / (float)count + eps));
    for (int i = 0; i < count; i += LANES)
        store(y + i, (load(x + i) - mean) * factor * load(norm.weight + i) + load(norm.bias + i));
}

#endif
