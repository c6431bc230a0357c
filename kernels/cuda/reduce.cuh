/* Sums over neighbouring lanes of a warp. Whatever lane asks, the terms are added in the same order: the same bits. */
#pragma once

#include "device.cuh"

/* Add up each of COUNT numbers over LANES lanes (a power of two), and share out the sums: at every step half of what is
 * left goes to the partner lane. Lane l keeps the max(1, COUNT / LANES) from `kept_first` on, at the front of x. */
template <int COUNT, int LANES, int MASK = 1> __device__ inline void reduce_scatter(float *x, int lane) {
    if constexpr (MASK < LANES) {
        if constexpr (COUNT > 1) {
            const bool upper = lane & MASK;
#pragma unroll
            for (int i = 0; i < COUNT / 2; i++) {
                const float kept = upper ? x[i + COUNT / 2] : x[i], given = upper ? x[i] : x[i + COUNT / 2];
                x[i] = kept + __shfl_xor_sync(ALL_LANES, given, MASK);
            }
        } else {
            x[0] += __shfl_xor_sync(ALL_LANES, x[0], MASK);
        }
        reduce_scatter<(COUNT > 1 ? COUNT / 2 : 1), LANES, 2 * MASK>(x, lane);
    }
}

/* Which of the COUNT sums is the first that this lane keeps. */
template <int COUNT, int LANES> __device__ inline int kept_first(int lane) {
    int first = 0;
#pragma unroll
    for (int mask = 1, half = COUNT / 2; mask < LANES && half > 0; mask *= 2, half /= 2) first += lane & mask ? half : 0;
    return first;
}

/* One number, over LANES lanes, known to all of them. */
template <int LANES> __device__ inline float reduce(float x) {
#pragma unroll
    for (int mask = 1; mask < LANES; mask *= 2) x += __shfl_xor_sync(ALL_LANES, x, mask);
    return x;
}
