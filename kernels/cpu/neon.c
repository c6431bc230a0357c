/* 4 lanes with NEON, which every 64-bit ARM processor has. */
#if defined(__aarch64__)
#include <arm_neon.h>

#define LANES 4
#define STREAM_TILE 4
#define PREFETCH_BYTES 1024
#define DOT_OFFSET 0
#include "vector.h"

INLINE ivec dot(ivec sum, ivec line, ivec inputs) {
    int8x16_t weights = (int8x16_t)line, values = (int8x16_t)inputs;
    int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(weights), vget_low_s8(values)));
    int32x4_t high = vpaddlq_s16(vmull_high_s8(weights, values));
    return sum + (ivec)vpaddq_s32(low, high);
}

#include "step.h"

static int supported(void) { return 1; }

const struct path neon = {"neon", supported, step, read_lines};
#else
typedef int empty_unit;
#endif
