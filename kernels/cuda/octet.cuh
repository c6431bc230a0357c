/* Eight adjacent channels of one token, the unit that a thread moves between global and shared memory. */
#pragma once

#include "device.cuh"

struct bfloat16 {
    uint16_t bits;
};

/* Holds the channels as loaded, 16 bytes per access. Converting them earlier would wait for the load. */
template <typename T> struct Octet;

template <> struct Octet<float> {
    float4 low, high;

    __device__ void load(const float *from) {
        low = reinterpret_cast<const float4 *>(from)[0];
        high = reinterpret_cast<const float4 *>(from)[1];
    }

    __device__ void unpack(float (&x)[8]) const {
        x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
        x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
    }
};

template <> struct Octet<bfloat16> {
    uint4 pairs;

    __device__ void load(const bfloat16 *from) { pairs = *reinterpret_cast<const uint4 *>(from); }

    __device__ void unpack(float (&x)[8]) const {
        const uint32_t words[4] = {pairs.x, pairs.y, pairs.z, pairs.w};
#pragma unroll
        for (int i = 0; i < 4; i++) {
            x[2 * i] = __uint_as_float(words[i] << 16);
            x[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
        }
    }
};

__device__ inline void store8(float *to, const float (&x)[8]) {
    reinterpret_cast<float4 *>(to)[0] = make_float4(x[0], x[1], x[2], x[3]);
    reinterpret_cast<float4 *>(to)[1] = make_float4(x[4], x[5], x[6], x[7]);
}

/* Load COUNT adjacent floats (2 or a multiple of 4) into registers. */
template <int COUNT> __device__ inline void fetch(float (&x)[COUNT], const float *from) {
    if constexpr (COUNT == 2) {
        const float2 pair = *reinterpret_cast<const float2 *>(from);
        x[0] = pair.x, x[1] = pair.y;
    } else {
#pragma unroll
        for (int i = 0; i < COUNT; i += 4) {
            const float4 four = *reinterpret_cast<const float4 *>(from + i);
            x[i] = four.x, x[i + 1] = four.y, x[i + 2] = four.z, x[i + 3] = four.w;
        }
    }
}

__device__ inline void store4(float *to, const float *x) {
    *reinterpret_cast<float4 *>(to) = make_float4(x[0], x[1], x[2], x[3]);
}

__device__ inline void put(float *to, float x) { *to = x; }

/* Store the nearest bfloat16, ties to even; NaN stays NaN. */
__device__ inline void put(bfloat16 *to, float x) {
    const uint32_t bits = __float_as_uint(x);
    to->bits = x == x ? static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16) : uint16_t{0x7fff};
}
