/* Intermediate values of a step: arrays of B rows each, used by rwkv6.h and rwkv7.h. */
#ifndef RADIO_SCRATCH_H
#define RADIO_SCRATCH_H

#include "model.h"

struct scratch {
    int streams;
    size_t width, kinds_width, a_width, hidden, experts, mix, rank, low, quantized; /* floats (or bytes) of a row */
    float *x, *normed, *delta, *input, *offset, *w, *k, *v, *r, *g; /* width */
    float *kinds;     /* RWKV-6: 5 × width, the inputs of the time mix */
    float *mixed;     /* RWKV-6: 5·M */
    float *segment;   /* RWKV-6: M, zero-padded */
    float *a, *first; /* RWKV-7: width */
    float *projected; /* the largest rank, zero-padded */
    float *squared;   /* hidden */
    float *shares;    /* RWKV-6: the experts, of one stream at a time */
    int8_t *values;   /* quantized: a vector as int8, */
    float *scales;    /* its scale per group, */
    int32_t *offsets; /* and −128 × its sum per group */
};

#endif
