/* Flushing of denormal numbers to zero. A decaying state ends in denormals, which many processors handle slowly.
 * restore_denormals restores the floating-point settings that flush_denormals returned. */
#ifndef RADIO_DENORMALS_H
#define RADIO_DENORMALS_H

#if defined(__x86_64__)
#include <xmmintrin.h>

static inline unsigned long long flush_denormals(void) {
    unsigned control = _mm_getcsr();
    _mm_setcsr(control | 0x8040); /* flush to zero, denormals are zero */
    return control;
}

static inline void restore_denormals(unsigned long long control) { _mm_setcsr((unsigned)control); }

#elif defined(__aarch64__)

static inline void restore_denormals(unsigned long long control) { __asm__ volatile("msr fpcr, %0" : : "r"(control)); }

static inline unsigned long long flush_denormals(void) {
    unsigned long long control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    restore_denormals(control | 1ULL << 24); /* FZ */
    return control;
}

#else

static inline unsigned long long flush_denormals(void) { return 0; }

static inline void restore_denormals(unsigned long long control) { (void)control; }

#endif
#endif
