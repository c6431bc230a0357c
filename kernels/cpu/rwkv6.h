/* A layer of RWKV-6 for B streams, each weight read once.
 * Source: Peng et al., "Eagle and Finch", arXiv 2404.05892, sections 4.1–4.2; radio/model/numpy_engine.py is the
 * reference. */
#ifndef RADIO_RWKV6_H
#define RADIO_RWKV6_H

#include "panel.h"

/* One head's recurrence: y = r·(S + diag(u)·kᵀv), S' = diag(w)·S + kᵀv. COLUMNS of S at a time, so that their part of y
 * and v stays in registers. */
INLINE void rwkv6_recur(const float *r, const float *k, const float *v, const float *w, const float *u,
                        const float *before, float *after, float *y) {
    enum { COLUMNS = LANES == 16 ? HEAD : 32, VECTORS = COLUMNS / LANES };
    float own = 0; /* r·diag(u)·kᵀ: what the token itself adds, times v */
    for (int i = 0; i < HEAD; i++) own += r[i] * u[i] * k[i];
    for (int column = 0; column < HEAD; column += COLUMNS) {
        vec value[VECTORS], result[VECTORS];
        for (int p = 0; p < VECTORS; p++) {
            value[p] = load(v + column + p * LANES);
            result[p] = value[p] * all(own);
        }
        for (int i = 0; i < HEAD; i++) {
            const float *from = before + i * HEAD + column;
            float *to = after + i * HEAD + column;
            vec receptance = all(r[i]), key = all(k[i]), decay = all(w[i]);
            for (int p = 0; p < VECTORS; p++) {
                vec state = load(from + p * LANES);
                result[p] += receptance * state;
                store(to + p * LANES, decay * state + key * value[p]);
            }
        }
        for (int p = 0; p < VECTORS; p++) store(y + column + p * LANES, result[p]);
    }
}

static void rwkv6_time_mix(const struct model *model, const struct rwkv6_layer *layer, struct scratch *s, int count,
                     const float *const *before, float *const *after, size_t place) {
    const int width = model->spec.width, rank = model->spec.ranks[MIX_RANK];
    const size_t wide = s->width;
    for (int b = 0; b < count; b++) {
        float *seen = s->seen + b * wide, *delta = s->delta + b * wide, *input = s->input + b * wide;
        const float *last = before[b] + place;
        float *kept = after[b] + place;
        normalise(s->x + b * wide, layer->ln1, LAYER_NORM_EPS, width, seen);
        for (int i = 0; i < width; i += LANES) {
            vec now = load(seen + i), change = load(last + i) - now;
            store(kept + i, now);
            store(delta + i, change);
            store(input + i, now + change * load(layer->maa_x + i));
        }
    }
    multiply(model->form, &layer->maa_w1, s, count, s->input, wide, s->mixed, s->mix);
    for (size_t i = 0; i < (size_t)count * s->mix; i += LANES)
        store(s->mixed + i, hyperbolic_tangent(load(s->mixed + i)));

    for (int kind = 0; kind < KINDS; kind++) {
        float *inputs = s->kinds + (size_t)kind * wide;
        for (int b = 0; b < count; b++)
            memcpy(s->segment + b * s->rank, s->mixed + b * s->mix + kind * rank, (size_t)rank * sizeof(float));
        multiply(model->form, &layer->maa_w2[kind], s, count, s->segment, s->rank, inputs, KINDS * wide);
        for (int b = 0; b < count; b++, inputs += KINDS * wide)
            for (int i = 0; i < width; i += LANES) {
                vec share = load(layer->maa[kind] + i) + load(inputs + i);
                store(inputs + i, load(s->seen + b * wide + i) + load(s->delta + b * wide + i) * share);
            }
    }
    multiply(model->form, &layer->decay_w1, s, count, s->kinds, KINDS * wide, s->lowered, s->low);
    for (size_t i = 0; i < (size_t)count * s->low; i += LANES)
        store(s->lowered + i, hyperbolic_tangent(load(s->lowered + i))); /* of 0 is 0 */
    multiply(model->form, &layer->decay_w2, s, count, s->lowered, s->low, s->w, wide);
    for (int b = 0; b < count; b++)
        for (int i = 0; i < width; i += LANES) {
            float *w = s->w + b * wide + i;
            store(w, exponential(-exponential(load(layer->decay + i) + load(w))));
        }
    multiply(model->form, &layer->key, s, count, s->kinds + 1 * wide, KINDS * wide, s->k, wide);
    multiply(model->form, &layer->value, s, count, s->kinds + 2 * wide, KINDS * wide, s->v, wide);
    multiply(model->form, &layer->receptance, s, count, s->kinds + 3 * wide, KINDS * wide, s->r, wide);
    multiply(model->form, &layer->gate, s, count, s->kinds + 4 * wide, KINDS * wide, s->g, wide);

    for (int b = 0; b < count; b++) {
        float *y = s->offset + b * wide;
        for (int c = 0; c < width; c += HEAD) {
            size_t at = b * wide + (size_t)c, state = place + 2 * wide + (size_t)c * HEAD;
            rwkv6_recur(s->r + at, s->k + at, s->v + at, s->w + at, layer->bonus + c, before[b] + state,
                        after[b] + state, y + c);
            normalise(y + c, (struct norm){layer->ln_x.weight + c, layer->ln_x.bias + c}, GROUP_NORM_EPS, HEAD, y + c);
        }
        for (int i = 0; i < width; i += LANES) {
            vec gate = load(s->g + b * wide + i);
            store(s->input + b * wide + i, load(y + i) * gate * sigmoid(gate));
        }
    }
    multiply(model->form, &layer->output, s, count, s->input, wide, s->offset, wide);
    for (size_t i = 0; i < (size_t)count * wide; i += LANES) store(s->x + i, load(s->x + i) + load(s->offset + i));
}

static void rwkv6_channel_mix(const struct model *model, const struct rwkv6_layer *layer, struct scratch *s, int count,
                        const float *const *before, float *const *after, size_t place) {
    const int width = model->spec.width;
    const size_t wide = s->width;
    for (int b = 0; b < count; b++) {
        const float *last = before[b] + place + wide;
        float *kept = after[b] + place + wide;
        float *seen = s->seen + b * wide;
        normalise(s->x + b * wide, layer->ln2, LAYER_NORM_EPS, width, seen);
        for (int i = 0; i < width; i += LANES) {
            size_t at = b * wide + (size_t)i;
            vec now = load(seen + i), change = load(last + i) - now;
            store(kept + i, now);
            store(s->input + at, now + change * load(layer->ffn_maa_k + i));
            store(s->delta + at, now + change * load(layer->ffn_maa_r + i));
        }
    }
    multiply(model->form, &layer->ffn_key, s, count, s->input, wide, s->squared, s->hidden);
    for (size_t i = 0; i < (size_t)count * s->hidden; i += LANES) {
        vec kept = larger(load(s->squared + i), all(0.0f));
        store(s->squared + i, kept * kept);
    }
    multiply(model->form, &layer->ffn_receptance, s, count, s->delta, wide, s->r, wide);
    multiply(model->form, &layer->ffn_value, s, count, s->squared, s->hidden, s->v, wide);
    for (size_t i = 0; i < (size_t)count * wide; i += LANES)
        store(s->x + i, load(s->x + i) + sigmoid(load(s->r + i)) * load(s->v + i));
}

#endif
