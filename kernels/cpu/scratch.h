/* Intermediate values, an array of B rows each; see rwkv6.h for what they hold. */
#ifndef RADIO_SCRATCH_H
#define RADIO_SCRATCH_H

#include "model.h"

struct scratch {
    int streams;
    size_t width, hidden, mix, rank, low, quantised; /* floats (or bytes) of a row */
    float *x, *seen, *delta, *input, *offset, *w, *k, *v, *r, *g; /* width */
    float *kinds;     /* 5 × width: time mix's inputs */
    float *mixed;     /* mix: 5·M */
    float *segment;   /* rank: M, zeros behind */
    float *lowered;   /* low: D, zeros behind */
    float *squared;   /* hidden */
    int8_t *values;   /* quantised: one vector as int8, */
    float *scales;    /* its scale by group */
    int32_t *offsets; /* and −128 × its sum by group */
};

#endif
