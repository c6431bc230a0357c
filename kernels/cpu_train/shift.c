/* The token shift of RWKV: each channel of a token is mixed with the same channel of the previous token,
 *
 *     out_k = x + (previous - x) (maa_k + offset_k)        for K mixes (w, k, v, r, g in the time mix of RWKV-6)
 *
 * in one pass over x. PyTorch takes one pass for the difference and two or three per mix. */
#include "lanes.h"

struct shift {
    int length, width, mixes;
    size_t plane; /* elements of one mix of the offsets */
    const float *x, *last, *maa;
    const void *offsets;
};

INLINE const float *previous_token(const struct shift *in, size_t token) {
    size_t lane = token / in->length;
    return token % in->length ? in->x + (token - 1) * in->width : in->last + lane * in->width;
}

INLINE vec share_at(const struct shift *in, int mix, size_t at, int i, enum dtype dtype, int offset) {
    vec share = load(in->maa + mix * in->width + i);
    return offset ? share + get(in->offsets, mix * in->plane + at + i, dtype) : share;
}

INLINE void forward_token(const struct shift *in, size_t token, void *const *out, enum dtype dtype, int offset) {
    const float *previous = previous_token(in, token);
    size_t at = token * in->width;
    for (int i = 0; i < in->width; i += LANES) {
        vec current = load(in->x + at + i), delta = load(previous + i) - current;
        for (int mix = 0; mix < in->mixes; mix++)
            put(out[mix], at + i, dtype, current + delta * share_at(in, mix, at, i, dtype, offset));
    }
}

INLINE void backward_token(const struct shift *in, size_t token, const void *const *dout, float *dx, float *dprevious,
                           float *dmaa, void *doffsets, enum dtype dtype, int offset) {
    const float *previous = previous_token(in, token);
    size_t at = token * in->width;
    for (int i = 0; i < in->width; i += LANES) {
        vec direct = {0}, to_previous = {0}, delta = load(previous + i) - load(in->x + at + i);
        for (int mix = 0; mix < in->mixes; mix++) {
            vec gradient = get(dout[mix], at + i, dtype), weighted = gradient * delta;
            to_previous += gradient * share_at(in, mix, at, i, dtype, offset);
            direct += gradient;
            float *total = dmaa + mix * in->width + i;
            store(total, load(total) + weighted);
            if (offset) put(doffsets, mix * in->plane + at + i, dtype, weighted);
        }
        store(dprevious + i, load(dprevious + i) + to_previous);
        store(dx + at + i, direct - to_previous);
    }
}

/* x: (B, T, C), last: (B, C), maa: (K, C), all float32. offsets: (K, B, T, C) or NULL; out: K tensors (B, T, C); both
 * are `dtype`. */
void shift_forward(int threads, int batch, int length, int width, int mixes, int dtype, const float *x,
                   const float *last, const float *maa, const void *offsets, void *const *out) {
    struct shift in = {length, width, mixes, (size_t)batch * length * width, x, last, maa, offsets};
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int token = 0; token < batch * length; token++) {
        if (dtype == BFLOAT16 && offsets) forward_token(&in, token, out, BFLOAT16, 1);
        else if (dtype == BFLOAT16) forward_token(&in, token, out, BFLOAT16, 0);
        else forward_token(&in, token, out, FLOAT32, offsets != NULL);
    }
}

/* dmaa: (B, K, C); the caller adds it up over B. doffsets is NULL if offsets is. */
void shift_backward(int threads, int batch, int length, int width, int mixes, int dtype, const float *x,
                    const float *last, const float *maa, const void *offsets, const void *const *dout, float *dx,
                    float *dlast, float *dmaa, void *doffsets) {
    struct shift in = {length, width, mixes, (size_t)batch * length * width, x, last, maa, offsets};
    memset(dlast, 0, sizeof *dlast * batch * width);
    memset(dmaa, 0, sizeof *dmaa * batch * mixes * width);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int lane = 0; lane < batch; lane++)
        for (int t = 0; t < length; t++) {
            size_t token = (size_t)lane * length + t;
            float *total = dmaa + (size_t)lane * mixes * width;
            float *dprevious = t ? dx + (token - 1) * width : dlast + (size_t)lane * width;
            if (dtype == BFLOAT16 && offsets)
                backward_token(&in, token, dout, dx, dprevious, total, doffsets, BFLOAT16, 1);
            else if (dtype == BFLOAT16) backward_token(&in, token, dout, dx, dprevious, total, doffsets, BFLOAT16, 0);
            else backward_token(&in, token, dout, dx, dprevious, total, doffsets, FLOAT32, offsets != NULL);
        }
}
