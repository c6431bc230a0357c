/* A layer of RWKV-7 for B streams, each weight read once.
 * Source: Peng et al., "RWKV-7 Goose with Expressive Dynamic State Evolution", arXiv 2503.14456, section 4;
 * radio/model/rwkv7_numpy.py is the reference. */
#ifndef RADIO_RWKV7_H
#define RADIO_RWKV7_H

#include "panel.h"

static const float STRONGEST_DECAY = -0.606531f; /* −e^(−1/2), log of the least that a channel keeps */
static const float SHORTEST = 1e-12f;            /* length by which a key is divided at least */

enum squash { PLAIN, TANH, SIGMOID };

/* One head's recurrence: S' = diag(w)·S − backᵀ·(taken·S) + kᵀ·v, y = r·S'. COLUMNS of S at a time, so that their part of
 * y, v and what is found under the key stays in registers; S is read a second time while it is near. */
INLINE void rwkv7_recur(const float *r, const float *k, const float *v, const float *w, const float *taken,
                        const float *back, const float *before, float *after, float *y) {
    enum { COLUMNS = LANES == 16 ? HEAD : 32, VECTORS = COLUMNS / LANES };
    for (int column = 0; column < HEAD; column += COLUMNS) {
        vec found[VECTORS] = {0}, value[VECTORS], result[VECTORS] = {0};
        for (int i = 0; i < HEAD; i++) {
            vec key = all(taken[i]);
            for (int p = 0; p < VECTORS; p++) found[p] += key * load(before + i * HEAD + column + p * LANES);
        }
        for (int p = 0; p < VECTORS; p++) value[p] = load(v + column + p * LANES);
        for (int i = 0; i < HEAD; i++) {
            const float *from = before + i * HEAD + column;
            float *to = after + i * HEAD + column;
            vec receptance = all(r[i]), key = all(k[i]), decay = all(w[i]), gone = all(back[i]);
            for (int p = 0; p < VECTORS; p++) {
                vec state = decay * load(from + p * LANES) + key * value[p] - gone * found[p];
                store(to + p * LANES, state);
                result[p] += receptance * state;
            }
        }
        for (int p = 0; p < VECTORS; p++) store(y + column + p * LANES, result[p]);
    }
}

/* input = each token mixed with the one before it */
static void rwkv7_shift(struct scratch *s, int count, const float *share) {
    const int width = (int)s->width;
    for (int b = 0; b < count; b++)
        for (int i = 0; i < width; i += LANES) {
            size_t at = b * s->width + (size_t)i;
            store(s->input + at, load(s->seen + at) + load(s->delta + at) * load(share + i));
        }
}

/* y = base + up · squash(down · input) */
static void rwkv7_low_rank(enum form form, const struct low_rank *low, int rank, enum squash squash, struct scratch *s,
                           int count, float *y) {
    multiply(form, &low->down, s, count, s->input, s->width, s->lowered, s->low);
    for (int b = 0; b < count; b++) {
        float *lowered = s->lowered + b * s->low;
        for (int i = 0; i < low->down.rows && squash != PLAIN; i += LANES)
            store(lowered + i, squash == TANH ? hyperbolic_tangent(load(lowered + i)) : sigmoid(load(lowered + i)));
        memset(lowered + rank, 0, (size_t)(low->up.columns - rank) * sizeof *lowered); /* σ(0) is not 0 */
    }
    multiply(form, &low->up, s, count, s->lowered, s->low, y, s->width);
    for (int b = 0; b < count && low->base; b++)
        for (size_t i = 0; i < s->width; i += LANES) {
            float *out = y + b * s->width + i;
            store(out, load(out) + load(low->base + i));
        }
}

/* One head of one stream: its keys from k, the recurrence, the norm, and the token's own value; `at` is its place among
 * the streams' channels. */
static void rwkv7_head(const struct rwkv7_layer *layer, struct scratch *s, size_t at, int channel, const float *before,
                       float *after) {
    float taken[HEAD], back[HEAD], *r = s->r + at, *k = s->k + at, *v = s->v + at, *y = s->offset + at;
    vec squares = {0}, own = {0};
    for (int i = 0; i < HEAD; i += LANES) {
        vec key = load(k + i) * load(layer->k_k + channel + i);
        store(taken + i, key);
        squares += key * key;
    }
    float length = __builtin_sqrtf(sum(squares));
    vec inverse = all(1.0f / (length > SHORTEST ? length : SHORTEST));
    for (int i = 0; i < HEAD; i += LANES) {
        vec rate = load(s->a + at + i), key = load(k + i), unit = load(taken + i) * inverse;
        store(taken + i, unit);
        store(back + i, unit * rate);
        key += key * (rate - all(1.0f)) * load(layer->k_a + channel + i);
        store(k + i, key);
        own += load(r + i) * key * load(layer->r_k + channel + i);
    }
    rwkv7_recur(r, k, v, s->w + at, taken, back, before, after, y);
    normalise(y, (struct norm){layer->ln_x.weight + channel, layer->ln_x.bias + channel}, GROUP_NORM_EPS, HEAD, y);
    vec share = all(sum(own));
    for (int i = 0; i < HEAD; i += LANES) store(y + i, load(y + i) + share * load(v + i));
}

static void rwkv7_time_mix(const struct model *model, const struct rwkv7_layer *layer, struct scratch *s, int count,
                           const float *const *before, float *const *after, size_t place, int first) {
    const int width = model->spec.width, *ranks = model->spec.ranks;
    const enum form form = model->form;
    const size_t wide = s->width, all_wide = (size_t)count * wide;
    for (int b = 0; b < count; b++) {
        float *seen = s->seen + b * wide;
        normalise(s->x + b * wide, layer->ln1, LAYER_NORM_EPS, width, seen);
        for (int i = 0; i < width; i += LANES) {
            vec now = load(seen + i);
            store(s->delta + b * wide + i, load(before[b] + place + i) - now);
            store(after[b] + place + i, now);
        }
    }
    rwkv7_shift(s, count, layer->x_r);
    multiply(form, &layer->receptance, s, count, s->input, wide, s->r, wide);
    rwkv7_shift(s, count, layer->x_k);
    multiply(form, &layer->key, s, count, s->input, wide, s->k, wide);
    rwkv7_shift(s, count, layer->x_v);
    multiply(form, &layer->value, s, count, s->input, wide, s->v, wide);
    if (first) {
        memcpy(s->first, s->v, all_wide * sizeof *s->v);
    } else {
        rwkv7_low_rank(form, &layer->low[LOW_SHARE], ranks[LOW_SHARE], PLAIN, s, count, s->a);
        for (size_t i = 0; i < all_wide; i += LANES) {
            vec value = load(s->v + i);
            store(s->v + i, value + (load(s->first + i) - value) * sigmoid(load(s->a + i)));
        }
    }
    rwkv7_shift(s, count, layer->x_w);
    rwkv7_low_rank(form, &layer->low[LOW_DECAY], ranks[LOW_DECAY], TANH, s, count, s->w);
    rwkv7_shift(s, count, layer->x_a);
    rwkv7_low_rank(form, &layer->low[LOW_RATE], ranks[LOW_RATE], PLAIN, s, count, s->a);
    rwkv7_shift(s, count, layer->x_g);
    rwkv7_low_rank(form, &layer->low[LOW_GATE], ranks[LOW_GATE], SIGMOID, s, count, s->g);
    for (size_t i = 0; i < all_wide; i += LANES) {
        store(s->w + i, exponential(all(STRONGEST_DECAY) * sigmoid(load(s->w + i))));
        store(s->a + i, sigmoid(load(s->a + i)));
    }
    for (int b = 0; b < count; b++)
        for (int channel = 0; channel < width; channel += HEAD) {
            size_t state = place + 2 * wide + (size_t)channel * HEAD;
            rwkv7_head(layer, s, b * wide + (size_t)channel, channel, before[b] + state, after[b] + state);
        }
    for (size_t i = 0; i < all_wide; i += LANES) store(s->input + i, load(s->offset + i) * load(s->g + i));
    multiply(form, &layer->output, s, count, s->input, wide, s->offset, wide);
    for (size_t i = 0; i < all_wide; i += LANES) store(s->x + i, load(s->x + i) + load(s->offset + i));
}

static void rwkv7_channel_mix(const struct model *model, const struct rwkv7_layer *layer, struct scratch *s, int count,
                              const float *const *before, float *const *after, size_t place) {
    const int width = model->spec.width;
    const size_t wide = s->width;
    for (int b = 0; b < count; b++) {
        const float *last = before[b] + place + wide;
        float *kept = after[b] + place + wide, *seen = s->seen + b * wide;
        normalise(s->x + b * wide, layer->ln2, LAYER_NORM_EPS, width, seen);
        for (int i = 0; i < width; i += LANES) {
            vec now = load(seen + i);
            store(s->input + b * wide + i, now + (load(last + i) - now) * load(layer->ffn_x_k + i));
            store(kept + i, now);
        }
    }
    multiply(model->form, &layer->ffn_key, s, count, s->input, wide, s->squared, s->hidden);
    for (size_t i = 0; i < (size_t)count * s->hidden; i += LANES) {
        vec kept = larger(load(s->squared + i), all(0.0f));
        store(s->squared + i, kept * kept);
    }
    multiply(model->form, &layer->ffn_value, s, count, s->squared, s->hidden, s->v, wide);
    for (size_t i = 0; i < (size_t)count * wide; i += LANES) store(s->x + i, load(s->x + i) + load(s->v + i));
}

#endif
