/* RWKV's token shift: each channel of a token mixed with the same channel of the token before it,
 *
 *     out_k = x + (before - x) (maa_k + offset_k)        for each of K mixes (w, k, v, r, g for RWKV-6's time mix)
 *
 * in one pass over x, where PyTorch takes one for the difference and two or three for every mix. */
#include "lanes.h"

struct shift {
    int length, width, mixes;
    size_t plane; /* of one mix of the offsets */
    const float *x, *last, *maa;
    const void *offsets;
};

INLINE const float *before(const struct shift *in, size_t token) {
    size_t lane = token / in->length;
    return token % in->length ? in->x + (token - 1) * in->width : in->last + lane * in->width;
}

INLINE vec share_at(const struct shift *in, int mix, size_t at, int i, enum kind kind, int offset) {
    vec share = load(in->maa + mix * in->width + i);
    return offset ? share + get(in->offsets, mix * in->plane + at + i, kind) : share;
}

INLINE void forward_token(const struct shift *in, size_t token, void *const *out, enum kind kind, int offset) {
    const float *past = before(in, token);
    size_t at = token * in->width;
    for (int i = 0; i < in->width; i += LANES) {
        vec here = load(in->x + at + i), delta = load(past + i) - here;
        for (int mix = 0; mix < in->mixes; mix++)
            put(out[mix], at + i, kind, here + delta * share_at(in, mix, at, i, kind, offset));
    }
}

INLINE void backward_token(const struct shift *in, size_t token, const void *const *dout, float *dx, float *dpast,
                           float *dmaa, void *doffsets, enum kind kind, int offset) {
    const float *past = before(in, token);
    size_t at = token * in->width;
    for (int i = 0; i < in->width; i += LANES) {
        vec kept = {0}, given = {0}, delta = load(past + i) - load(in->x + at + i);
        for (int mix = 0; mix < in->mixes; mix++) {
            vec gradient = get(dout[mix], at + i, kind), felt = gradient * delta;
            given += gradient * share_at(in, mix, at, i, kind, offset);
            kept += gradient;
            float *total = dmaa + mix * in->width + i;
            store(total, load(total) + felt);
            if (offset) put(doffsets, mix * in->plane + at + i, kind, felt);
        }
        store(dpast + i, load(dpast + i) + given);
        store(dx + at + i, kept - given);
    }
}

/* x: (B, T, C), last: (B, C), maa: (K, C), all float32. offsets (K, B, T, C) or NULL, and K times out (B, T, C), are
 * of `kind`. */
void shift_forward(int threads, int batch, int length, int width, int mixes, int kind, const float *x,
                   const float *last, const float *maa, const void *offsets, void *const *out) {
    struct shift in = {length, width, mixes, (size_t)batch * length * width, x, last, maa, offsets};
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int token = 0; token < batch * length; token++) {
        if (kind == BFLOAT16 && offsets) forward_token(&in, token, out, BFLOAT16, 1);
        else if (kind == BFLOAT16) forward_token(&in, token, out, BFLOAT16, 0);
        else forward_token(&in, token, out, FLOAT32, offsets != NULL);
    }
}

/* dmaa: (B, K, C), to be added up over B; doffsets is NULL where offsets is. */
void shift_backward(int threads, int batch, int length, int width, int mixes, int kind, const float *x,
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
            float *dpast = t ? dx + (token - 1) * width : dlast + (size_t)lane * width;
            if (kind == BFLOAT16 && offsets)
                backward_token(&in, token, dout, dx, dpast, total, doffsets, BFLOAT16, 1);
            else if (kind == BFLOAT16) backward_token(&in, token, dout, dx, dpast, total, doffsets, BFLOAT16, 0);
            else backward_token(&in, token, dout, dx, dpast, total, doffsets, FLOAT32, offsets != NULL);
        }
}
