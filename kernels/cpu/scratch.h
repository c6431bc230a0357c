/* Intermediate values, an array of B rows each; see rwkv6.h and rwkv7.h for what they hold. */
#ifndef RADIO_SCRATCH_H
#define RADIO_SCRATCH_H

#include "model.h"

struct scratch {
    int streams;
    size_t width, kinds_width, a_width, hidden, mix, rank, low, quantised; /* floats (or bytes) of a row */
    float *x, *seen, *delta, *input, *offset, *w, *k, *v, *r, *g; /* width */
    float *kinds;     /* RWKV-6: 5 × width, time mix's inputs */
    float *mixed;     /* RWKV-6: 5·M */
    float *segment;   /* RWKV-6: M, zeros behind */
    float *a, *first; /* RWKV-7: width */
    float *lowered;   /* the largest rank, zeros behind each */
    float *squared;   /* hidden */
    int8_t *values;   /* quantised: one vector as int8, */
    float *scales;    /* its scale by group */
    int32_t *offsets; /* and −128 × its sum by group */
};

#endif
