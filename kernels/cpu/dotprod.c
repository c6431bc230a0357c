/* 4 lanes with NEON and the dot product of ARMv8.2, available since the Cortex-A76. */
#if defined(__aarch64__) && defined(__linux__)
#include <arm_neon.h>
#include <sys/auxv.h>

#include "target.h"

BEGIN_TARGET("arch=armv8.2-a+dotprod")
#define LANES 4
#define STREAM_TILE 4
#define PREFETCH_BYTES 1024
#define DOT_OFFSET 0
#include "vector.h"

INLINE ivec dot(ivec sum, ivec line, ivec inputs) {
    return (ivec)vdotq_s32((int32x4_t)sum, (int8x16_t)line, (int8x16_t)inputs);
}

#include "step.h"
END_TARGET

static int supported(void) { return (getauxval(AT_HWCAP) & 1UL << 20) != 0; } /* HWCAP_ASIMDDP */

const struct path dotprod = {"dotprod", supported, step, read_lines};
#else
typedef int empty_unit;
#endif
