/* Sums over adjacent lanes of a warp. All lanes add in the same order, so results are bit-identical. */
#pragma once

#include "device.cuh"

/* Add up each of COUNT numbers over LANES lanes (a power of two), and distribute the sums: each step sends half of the
 * remaining numbers to the partner lane. A lane ends with max(1, COUNT / LANES) sums, starting with number `first_sum`,
 * at the front of x. */
template <int COUNT, int LANES, int MASK = 1> __device__ inline void reduce_scatter(float *x, int lane) {
    if constexpr (MASK < LANES) {
        if constexpr (COUNT > 1) {
            const bool upper = lane & MASK;
#pragma unroll
            for (int i = 0; i < COUNT / 2; i++) {
                const float retained = upper ? x[i + COUNT / 2] : x[i], sent = upper ? x[i] : x[i + COUNT / 2];
                x[i] = retained + __shfl_xor_sync(ALL_LANES, sent, MASK);
            }
        } else {
            x[0] += __shfl_xor_sync(ALL_LANES, x[0], MASK);
        }
        reduce_scatter<(COUNT > 1 ? COUNT / 2 : 1), LANES, 2 * MASK>(x, lane);
    }
}

/* Return the index of the first of the COUNT sums that this lane holds. */
template <int COUNT, int LANES> __device__ inline int first_sum(int lane) {
    int first = 0;
#pragma unroll
    for (int mask = 1, half = COUNT / 2; mask < LANES && half > 0; mask *= 2, half /= 2) first += lane & mask ? half : 0;
    return first;
}

/* Return the sum of one number over LANES lanes, in all of them. */
template <int LANES> __device__ inline float reduce(float x) {
#pragma unroll
    for (int mask = 1; mask < LANES; mask *= 2) x += __shfl_xor_sync(ALL_LANES, x, mask);
    return x;
}
