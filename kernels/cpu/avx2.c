/* 8 lanes with AVX2 and FMA. The byte product of AVX2 is unsigned × signed and saturates at 16 bits. |line| · ±inputs
 * does not reach that limit, since no factor is below −127. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "target.h"

BEGIN_TARGET("avx2,fma")
#define LANES 8
#define STREAM_TILE 4
#define PREFETCH_BYTES 4096
#define DOT_OFFSET 0
#include "vector.h"

INLINE ivec dot(ivec sum, ivec line, ivec inputs) {
    __m256i products = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)line),
                                            _mm256_sign_epi8((__m256i)inputs, (__m256i)line));
    return sum + (ivec)_mm256_madd_epi16(products, _mm256_set1_epi16(1));
}

#include "step.h"
END_TARGET

static int supported(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

const struct path avx2 = {"avx2", supported, step, read_lines};
#else
typedef int empty_unit;
#endif
