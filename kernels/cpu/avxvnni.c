/* 8 lanes with AVX2 and AVX-VNNI, for processors without AVX-512. */
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#include "target.h"

BEGIN_TARGET("avx2,fma,avxvnni")
#define LANES 8
#define STREAM_TILE 4
#define PREFETCH_BYTES 4096
#define DOT_OFFSET 1
#include "vector.h"

INLINE ivec dot(ivec sum, ivec line, ivec inputs) {
    __m256i raised = _mm256_xor_si256((__m256i)line, _mm256_set1_epi8(-128));
    return (ivec)_mm256_dpbusd_avx_epi32((__m256i)sum, raised, (__m256i)inputs);
}

#include "step.h"
END_TARGET

static int supported(void) {
    unsigned a, b, c, d; /* some compilers lack a name for this feature */
    int vnni = __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && vnni;
}

const struct path avxvnni = {"avxvnni", supported, step, read_lines};
#else
typedef int empty_unit;
#endif
