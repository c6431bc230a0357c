/* A layer of RWKV-7 for B streams, which reads each weight once.
 * Source: Peng et al., "RWKV-7 Goose with Expressive Dynamic State Evolution", arXiv 2503.14456, section 4.
 * Reference: radio/model/engines/numpy_rwkv7.py. */
#ifndef RADIO_RWKV7_H
#define RADIO_RWKV7_H

#include "panel.h"

static const float STRONGEST_DECAY = -0.606531f; /* −e^(−1/2), log of the smallest decay factor */
static const float SMALLEST_NORM = 1e-12f;       /* lower bound of the norm that divides a key */

enum activation { PLAIN, TANH, SIGMOID };

/* The recurrence of one head: S' = diag(w)·S − updateᵀ·(removed·S) + kᵀ·v, y = r·S'. Processes COLUMNS of S at a time,
 * so that the matching parts of y, v and removed·S stay in registers; S is read a second time from the cache. */
INLINE void rwkv7_recur(const float *r, const float *k, const float *v, const float *w, const float *removed,
                        const float *update, const float *before, float *after, float *y) {
    enum { COLUMNS = LANES == 16 ? HEAD : 32, VECTORS = COLUMNS / LANES };
    for (int column = 0; column < HEAD; column += COLUMNS) {
        vec stored[VECTORS] = {0}, value[VECTORS], result[VECTORS] = {0};
        for (int i = 0; i < HEAD; i++) {
            vec key = splat(removed[i]);
            for (int p = 0; p < VECTORS; p++) stored[p] += key * load(before + i * HEAD + column + p * LANES);
        }
        for (int p = 0; p < VECTORS; p++) value[p] = load(v + column + p * LANES);
        for (int i = 0; i < HEAD; i++) {
            const float *from = before + i * HEAD + column;
            float *to = after + i * HEAD + column;
            vec receptance = splat(r[i]), key = splat(k[i]), decay = splat(w[i]), amount = splat(update[i]);
            for (int p = 0; p < VECTORS; p++) {
                vec state = decay * load(from + p * LANES) + key * value[p] - amount * stored[p];
                store(to + p * LANES, state);
                result[p] += receptance * state;
            }
        }
        for (int p = 0; p < VECTORS; p++) store(y + column + p * LANES, result[p]);
    }
}

/* input = the current token mixed with the previous one */
static void rwkv7_shift(struct scratch *s, int count, const float *share) {
    const int width = (int)s->width;
    for (int b = 0; b < count; b++)
        for (int i = 0; i < width; i += LANES) {
            size_t at = b * s->width + (size_t)i;
            store(s->input + at, load(s->normed + at) + load(s->delta + at) * load(share + i));
        }
}

/* y = base + up · activation(down · input) */
static void rwkv7_low_rank(enum weight_format format, const struct low_rank *low, int rank,
                           enum activation activation, struct scratch *s, int count, float *y) {
    multiply(format, &low->down, s, count, s->input, s->width, s->projected, s->low);
    for (int b = 0; b < count; b++) {
        float *projected = s->projected + b * s->low;
        for (int i = 0; i < low->down.rows && activation != PLAIN; i += LANES) {
            vec value = load(projected + i);
            store(projected + i, activation == TANH ? hyperbolic_tangent(value) : sigmoid(value));
        }
        memset(projected + rank, 0, (size_t)(low->up.columns - rank) * sizeof *projected); /* σ(0) is not 0 */
    }
    multiply(format, &low->up, s, count, s->projected, s->low, y, s->width);
    for (int b = 0; b < count && low->base; b++)
        for (size_t i = 0; i < s->width; i += LANES) {
            float *out = y + b * s->width + i;
            store(out, load(out) + load(low->base + i));
        }
}

/* One head of one stream: the keys from k, the recurrence, the norm, and the bonus of the current token. `at` is the
 * offset of the head in the channels of all streams. */
static void rwkv7_head(const struct rwkv7_layer *layer, struct scratch *s, size_t at, int channel, const float *before,
                       float *after) {
    float removed[HEAD], update[HEAD], *r = s->r + at, *k = s->k + at, *v = s->v + at, *y = s->offset + at;
    vec squares = {0}, bonus = {0};
    for (int i = 0; i < HEAD; i += LANES) {
        vec key = load(k + i) * load(layer->k_k + channel + i);
        store(removed + i, key);
        squares += key * key;
    }
    float length = __builtin_sqrtf(sum(squares));
    vec inverse = splat(1.0f / (length > SMALLEST_NORM ? length : SMALLEST_NORM));
    for (int i = 0; i < HEAD; i += LANES) {
        vec rate = load(s->a + at + i), key = load(k + i), unit = load(removed + i) * inverse;
        store(removed + i, unit);
        store(update + i, unit * rate);
        key += key * (rate - splat(1.0f)) * load(layer->k_a + channel + i);
        store(k + i, key);
        bonus += load(r + i) * key * load(layer->r_k + channel + i);
    }
    rwkv7_recur(r, k, v, s->w + at, removed, update, before, after, y);
    normalize(y, (struct norm){layer->ln_x.weight + channel, layer->ln_x.bias + channel}, GROUP_NORM_EPS, HEAD, y);
    vec share = splat(sum(bonus));
    for (int i = 0; i < HEAD; i += LANES) store(y + i, load(y + i) + share * load(v + i));
}

static void rwkv7_time_mix(const struct model *model, const struct rwkv7_layer *layer, struct scratch *s, int count,
                           const float *const *before, float *const *after, size_t start, int first) {
    const int width = model->spec.width, *ranks = model->spec.sizes;
    const enum weight_format format = model->format;
    const size_t stride = s->width, total_width = (size_t)count * stride;
    for (int b = 0; b < count; b++) {
        float *normed = s->normed + b * stride;
        normalize(s->x + b * stride, layer->ln1, LAYER_NORM_EPS, width, normed);
        for (int i = 0; i < width; i += LANES) {
            vec now = load(normed + i);
            store(s->delta + b * stride + i, load(before[b] + start + i) - now);
            store(after[b] + start + i, now);
        }
    }
    rwkv7_shift(s, count, layer->x_r);
    multiply(format, &layer->receptance, s, count, s->input, stride, s->r, stride);
    rwkv7_shift(s, count, layer->x_k);
    multiply(format, &layer->key, s, count, s->input, stride, s->k, stride);
    rwkv7_shift(s, count, layer->x_v);
    multiply(format, &layer->value, s, count, s->input, stride, s->v, stride);
    if (first) {
        memcpy(s->first, s->v, total_width * sizeof *s->v);
    } else {
        rwkv7_low_rank(format, &layer->low[LOW_SHARE], ranks[LOW_SHARE], PLAIN, s, count, s->a);
        for (size_t i = 0; i < total_width; i += LANES) {
            vec value = load(s->v + i);
            store(s->v + i, value + (load(s->first + i) - value) * sigmoid(load(s->a + i)));
        }
    }
    rwkv7_shift(s, count, layer->x_w);
    rwkv7_low_rank(format, &layer->low[LOW_DECAY], ranks[LOW_DECAY], TANH, s, count, s->w);
    rwkv7_shift(s, count, layer->x_a);
    rwkv7_low_rank(format, &layer->low[LOW_RATE], ranks[LOW_RATE], PLAIN, s, count, s->a);
    rwkv7_shift(s, count, layer->x_g);
    rwkv7_low_rank(format, &layer->low[LOW_GATE], ranks[LOW_GATE], SIGMOID, s, count, s->g);
    for (size_t i = 0; i < total_width; i += LANES) {
        store(s->w + i, exponential(splat(STRONGEST_DECAY) * sigmoid(load(s->w + i))));
        store(s->a + i, sigmoid(load(s->a + i)));
    }
    for (int b = 0; b < count; b++)
        for (int channel = 0; channel < width; channel += HEAD) {
            size_t state = start + 2 * stride + (size_t)channel * HEAD;
            rwkv7_head(layer, s, b * stride + (size_t)channel, channel, before[b] + state, after[b] + state);
        }
    for (size_t i = 0; i < total_width; i += LANES) store(s->input + i, load(s->offset + i) * load(s->g + i));
    multiply(format, &layer->output, s, count, s->input, stride, s->offset, stride);
    for (size_t i = 0; i < total_width; i += LANES) store(s->x + i, load(s->x + i) + load(s->offset + i));
}

static void rwkv7_channel_mix(const struct model *model, const struct rwkv7_layer *layer, struct scratch *s, int count,
                              const float *const *before, float *const *after, size_t start) {
    const int width = model->spec.width;
    const size_t stride = s->width;
    for (int b = 0; b < count; b++) {
        const float *last = before[b] + start + stride;
        float *latest = after[b] + start + stride, *normed = s->normed + b * stride;
        normalize(s->x + b * stride, layer->ln2, LAYER_NORM_EPS, width, normed);
        for (int i = 0; i < width; i += LANES) {
            vec now = load(normed + i);
            store(s->input + b * stride + i, now + (load(last + i) - now) * load(layer->ffn_x_k + i));
            store(latest + i, now);
        }
    }
    multiply(model->format, &layer->ffn_key, s, count, s->input, stride, s->squared, s->hidden);
    for (size_t i = 0; i < (size_t)count * s->hidden; i += LANES) {
        vec positive = larger(load(s->squared + i), splat(0.0f));
        store(s->squared + i, positive * positive);
    }
    multiply(model->format, &layer->ffn_value, s, count, s->squared, s->hidden, s->v, stride);
    for (size_t i = 0; i < (size_t)count * stride; i += LANES) store(s->x + i, load(s->x + i) + load(s->v + i));
}

#endif
