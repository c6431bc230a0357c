/* 4 lanes without processor-specific instructions, for any processor that GCC or clang supports. */
#define LANES 4
#define STREAM_TILE 2
#define PREFETCH_BYTES 1024
#define DOT_OFFSET 0
#include "vector.h"

typedef int16_t shorts __attribute__((vector_size(4 * LANES)));
typedef uint16_t ushorts __attribute__((vector_size(4 * LANES)));

/* The sum of two products of factors within ±127 fits 16 bits. */
INLINE ivec dot(ivec sum, ivec line, ivec inputs) {
    shorts low = (shorts)((ushorts)line << 8) >> 8, high = (shorts)line >> 8;
    shorts x_low = (shorts)((ushorts)inputs << 8) >> 8, x_high = (shorts)inputs >> 8;
    shorts pairs = low * x_low + high * x_high;
    return sum + ((ivec)((uvec)pairs << 16) >> 16) + ((ivec)pairs >> 16);
}

#include "step.h"

static int supported(void) { return 1; }

const struct path portable = {"portable", supported, step, read_lines};
