/* 16 lanes with AVX-512 and VNNI, which multiplies unsigned by signed bytes. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "target.h"

BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma")
#define LANES 16
#define STREAM_TILE 8
#define PREFETCH_BYTES 4096
#define DOT_OFFSET 1
#include "vector.h"

INLINE ivec dot(ivec sum, ivec line, ivec inputs) {
    __m512i raised = _mm512_xor_si512((__m512i)line, _mm512_set1_epi8(-128));
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, raised, (__m512i)inputs);
}

#include "step.h"
END_TARGET

static int supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma");
}

const struct path avx512 = {"avx512", supported, step, read_lines};
#else
typedef int empty_unit;
#endif
