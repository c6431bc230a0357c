/* A memory that fades ends in denormal numbers, on which processors are many times slower: during a step they count as
 * zero. Each call gives back the floating-point settings as it found them. */
#ifndef RADIO_DENORMALS_H
#define RADIO_DENORMALS_H

#if defined(__x86_64__)
#include <xmmintrin.h>

static inline unsigned long long flush_denormals(void) {
    unsigned found = _mm_getcsr();
    _mm_setcsr(found | 0x8040); /* flush to zero, denormals are zero */
    return found;
}

static inline void restore_denormals(unsigned long long found) { _mm_setcsr((unsigned)found); }

#elif defined(__aarch64__)

static inline void restore_denormals(unsigned long long found) { __asm__ volatile("msr fpcr, %0" : : "r"(found)); }

static inline unsigned long long flush_denormals(void) {
    unsigned long long found;
    __asm__ volatile("mrs %0, fpcr" : "=r"(found));
    restore_denormals(found | 1ULL << 24); /* FZ */
    return found;
}

#else

static inline unsigned long long flush_denormals(void) { return 0; }

static inline void restore_denormals(unsigned long long found) { (void)found; }

#endif
#endif
