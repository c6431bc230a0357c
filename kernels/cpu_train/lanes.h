/* Vectors of 16 floats for the training operators, loaded from float32 or bfloat16.
 *
 * Compiled for the processor of the machine. If its registers are narrower, a vector takes two or four of them. */
#ifndef TRAIN_LANES_H
#define TRAIN_LANES_H

#define LANES 16
#include "../cpu/denormals.h"
#include "../cpu/vector.h"

typedef uint16_t halves __attribute__((vector_size(2 * LANES)));

/* The dtype of a tensor. Arithmetic is always in float32. */
enum dtype { FLOAT32, BFLOAT16 };

/* Load a vector as float32. */
INLINE vec get(const void *from, size_t index, enum dtype dtype) {
    if (dtype == FLOAT32) return load((const float *)from + index);
    halves upper;
    memcpy(&upper, (const uint16_t *)from + index, sizeof upper);
    return (vec)(__builtin_convertvector(upper, uvec) << 16);
}

/* Store `value`; bfloat16 is rounded to nearest, ties to even. */
INLINE void put(void *to, size_t index, enum dtype dtype, vec value) {
    if (dtype == FLOAT32) {
        store((float *)to + index, value);
        return;
    }
    uvec bits = (uvec)value;
    bits += (bits >> 16 & 1) + 0x7fff;
    halves upper = __builtin_convertvector(bits >> 16, halves);
    memcpy((uint16_t *)to + index, &upper, sizeof upper);
}

/* exp and sigmoid that propagate NaN, unlike those in vector.h, so that training can detect it. */
INLINE vec safe_exp(vec x) { return blend(x != x, x, exponential(x)); }

INLINE vec safe_sigmoid(vec x) { return splat(1.0f) / (splat(1.0f) + safe_exp(-x)); }

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif

/* Return a vector whose lane i is the sum of row i. Takes 15 additions instead of 64 for separate sums. The order of
 * additions is the same for all rows. */
INLINE vec sums(vec row[LANES]) {
    vec eight[8], four[4], two[2];
    for (int i = 0; i < 8; i++)
        eight[i] = SHUFFLE(row[i], row[i + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
                 + SHUFFLE(row[i], row[i + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    for (int i = 0; i < 4; i++)
        four[i] = SHUFFLE(eight[i], eight[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
                + SHUFFLE(eight[i], eight[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    for (int i = 0; i < 2; i++)
        two[i] = SHUFFLE(four[i], four[i + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
               + SHUFFLE(four[i], four[i + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    return SHUFFLE(two[0], two[1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
         + SHUFFLE(two[0], two[1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
}

#endif
