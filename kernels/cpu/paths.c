#include "model.h"

extern const struct path avx512, avxvnni, avx2, dotprod, neon, portable;

const struct path *const paths[] = {
#if defined(__x86_64__)
    &avx512, &avxvnni, &avx2,
#elif defined(__aarch64__)
#if defined(__linux__)
    &dotprod,
#endif
    &neon,
#endif
    &portable, NULL,
};
