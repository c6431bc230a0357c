/* A layer of RWKV-6 for B streams, which reads each weight once.
 * Source: Peng et al., "Eagle and Finch", arXiv 2404.05892, sections 4.1–4.2; for the experts Fedus et al., "Switch
 * Transformers", arXiv 2101.03961, section 2.
 * Reference: radio/model/engines/numpy_rwkv6.py and numpy_experts.py. */
#ifndef RADIO_RWKV6_H
#define RADIO_RWKV6_H

#include "panel.h"

/* The recurrence of one head: y = r·(S + diag(u)·kᵀv), S' = diag(w)·S + kᵀv. Processes COLUMNS of S at a time, so that
 * the matching parts of y and v stay in registers. */
INLINE void rwkv6_recur(const float *r, const float *k, const float *v, const float *w, const float *u,
                        const float *before, float *after, float *y) {
    enum { COLUMNS = LANES == 16 ? HEAD : 32, VECTORS = COLUMNS / LANES };
    float bonus = 0; /* r·diag(u)·kᵀ, the factor of v in the contribution of the current token */
    for (int i = 0; i < HEAD; i++) bonus += r[i] * u[i] * k[i];
    for (int column = 0; column < HEAD; column += COLUMNS) {
        vec value[VECTORS], result[VECTORS];
        for (int p = 0; p < VECTORS; p++) {
            value[p] = load(v + column + p * LANES);
            result[p] = value[p] * splat(bonus);
        }
        for (int i = 0; i < HEAD; i++) {
            const float *from = before + i * HEAD + column;
            float *to = after + i * HEAD + column;
            vec receptance = splat(r[i]), key = splat(k[i]), decay = splat(w[i]);
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
                           const float *const *before, float *const *after, size_t start) {
    const int width = model->spec.width, rank = model->spec.sizes[MIX_RANK];
    const size_t stride = s->width;
    for (int b = 0; b < count; b++) {
        float *normed = s->normed + b * stride, *delta = s->delta + b * stride, *input = s->input + b * stride;
        const float *last = before[b] + start;
        float *latest = after[b] + start;
        normalize(s->x + b * stride, layer->ln1, LAYER_NORM_EPS, width, normed);
        for (int i = 0; i < width; i += LANES) {
            vec now = load(normed + i), change = load(last + i) - now;
            store(latest + i, now);
            store(delta + i, change);
            store(input + i, now + change * load(layer->maa_x + i));
        }
    }
    multiply(model->format, &layer->maa_w1, s, count, s->input, stride, s->mixed, s->mix);
    for (size_t i = 0; i < (size_t)count * s->mix; i += LANES)
        store(s->mixed + i, hyperbolic_tangent(load(s->mixed + i)));

    for (int kind = 0; kind < KINDS; kind++) {
        float *inputs = s->kinds + (size_t)kind * stride;
        for (int b = 0; b < count; b++)
            memcpy(s->segment + b * s->rank, s->mixed + b * s->mix + kind * rank, (size_t)rank * sizeof(float));
        multiply(model->format, &layer->maa_w2[kind], s, count, s->segment, s->rank, inputs, KINDS * stride);
        for (int b = 0; b < count; b++, inputs += KINDS * stride)
            for (int i = 0; i < width; i += LANES) {
                vec share = load(layer->maa[kind] + i) + load(inputs + i);
                store(inputs + i, load(s->normed + b * stride + i) + load(s->delta + b * stride + i) * share);
            }
    }
    multiply(model->format, &layer->decay_w1, s, count, s->kinds, KINDS * stride, s->projected, s->low);
    for (size_t i = 0; i < (size_t)count * s->low; i += LANES)
        store(s->projected + i, hyperbolic_tangent(load(s->projected + i))); /* keeps the padding 0 */
    multiply(model->format, &layer->decay_w2, s, count, s->projected, s->low, s->w, stride);
    for (int b = 0; b < count; b++)
        for (int i = 0; i < width; i += LANES) {
            float *w = s->w + b * stride + i;
            store(w, exponential(-exponential(load(layer->decay + i) + load(w))));
        }
    multiply(model->format, &layer->key, s, count, s->kinds + 1 * stride, KINDS * stride, s->k, stride);
    multiply(model->format, &layer->value, s, count, s->kinds + 2 * stride, KINDS * stride, s->v, stride);
    multiply(model->format, &layer->receptance, s, count, s->kinds + 3 * stride, KINDS * stride, s->r, stride);
    multiply(model->format, &layer->gate, s, count, s->kinds + 4 * stride, KINDS * stride, s->g, stride);

    for (int b = 0; b < count; b++) {
        float *y = s->offset + b * stride;
        for (int c = 0; c < width; c += HEAD) {
            size_t at = b * stride + (size_t)c, state = start + 2 * stride + (size_t)c * HEAD;
            rwkv6_recur(s->r + at, s->k + at, s->v + at, s->w + at, layer->bonus + c, before[b] + state,
                        after[b] + state, y + c);
            normalize(y + c, (struct norm){layer->ln_x.weight + c, layer->ln_x.bias + c}, GROUP_NORM_EPS, HEAD, y + c);
        }
        for (int i = 0; i < width; i += LANES) {
            vec gate = load(s->g + b * stride + i);
            store(s->input + b * stride + i, load(y + i) * gate * sigmoid(gate));
        }
    }
    multiply(model->format, &layer->output, s, count, s->input, stride, s->offset, stride);
    for (size_t i = 0; i < (size_t)count * stride; i += LANES) store(s->x + i, load(s->x + i) + load(s->offset + i));
}

/* squared = relu(key · input)² for `count` streams, starting at `first`. */
INLINE void rwkv6_expand(const struct model *model, const struct matrix *key, struct scratch *s, int first, int count) {
    float *squared = s->squared + (size_t)first * s->hidden;
    multiply(model->format, key, s, count, s->input + (size_t)first * s->width, s->width, squared, s->hidden);
    for (size_t i = 0; i < (size_t)count * s->hidden; i += LANES) {
        vec positive = larger(load(squared + i), splat(0.0f));
        store(squared + i, positive * positive);
    }
}

/* shares = softmax(router · x), one for each expert. */
INLINE void rwkv6_route(const float *router, const float *x, int experts, int width, struct scratch *s) {
    float most = -FLT_MAX, total = 0;
    for (size_t e = 0; e < s->experts; e++) {
        s->shares[e] = -FLT_MAX;
        if (e >= (size_t)experts) continue;
        vec products = {0};
        for (int i = 0; i < width; i += LANES) products += load(router + e * (size_t)width + i) * load(x + i);
        s->shares[e] = sum(products);
        most = s->shares[e] > most ? s->shares[e] : most;
    }
    for (size_t e = 0; e < s->experts; e += LANES) store(s->shares + e, exponential(load(s->shares + e) - splat(most)));
    for (int e = 0; e < experts; e++) total += s->shares[e];
    for (int e = 0; e < experts; e++) s->shares[e] /= total;
}

/* v = the sum over the active experts of share · value · relu(key · input)². Each stream has its own experts. */
static void rwkv6_mix_experts(const struct model *model, const struct rwkv6_layer *layer, struct scratch *s, int count) {
    const int width = model->spec.width, experts = model->spec.sizes[EXPERTS];
    enum { CHOSEN = -1 };
    for (int b = 0; b < count; b++) {
        float *result = s->v + (size_t)b * s->width, *values = s->k + (size_t)b * s->width;
        memset(result, 0, s->width * sizeof *result);
        rwkv6_route(layer->router, s->input + (size_t)b * s->width, experts, width, s);
        for (int number = 0; number < model->spec.sizes[ACTIVE]; number++) {
            int best = -1;
            for (int e = 0; e < experts; e++)
                if (s->shares[e] != CHOSEN && (best < 0 || s->shares[e] > s->shares[best])) best = e;
            vec share = splat(s->shares[best]);
            s->shares[best] = CHOSEN;
            rwkv6_expand(model, &layer->ffn_key[best], s, b, 1);
            multiply(model->format, &layer->ffn_value[best], s, 1, s->squared + (size_t)b * s->hidden, s->hidden,
                     values, s->width);
            for (int i = 0; i < width; i += LANES) store(result + i, load(result + i) + share * load(values + i));
        }
    }
}

static void rwkv6_channel_mix(const struct model *model, const struct rwkv6_layer *layer, struct scratch *s, int count,
                              const float *const *before, float *const *after, size_t start) {
    const int width = model->spec.width;
    const size_t stride = s->width;
    for (int b = 0; b < count; b++) {
        const float *last = before[b] + start + stride;
        float *latest = after[b] + start + stride;
        float *normed = s->normed + b * stride;
        normalize(s->x + b * stride, layer->ln2, LAYER_NORM_EPS, width, normed);
        for (int i = 0; i < width; i += LANES) {
            size_t at = b * stride + (size_t)i;
            vec now = load(normed + i), change = load(last + i) - now;
            store(latest + i, now);
            store(s->input + at, now + change * load(layer->ffn_maa_k + i));
            store(s->delta + at, now + change * load(layer->ffn_maa_r + i));
        }
    }
    if (!layer->router) rwkv6_expand(model, layer->ffn_key, s, 0, count);
    multiply(model->format, &layer->ffn_receptance, s, count, s->delta, stride, s->r, stride);
    if (!layer->router) multiply(model->format, layer->ffn_value, s, count, s->squared, s->hidden, s->v, stride);
    else rwkv6_mix_experts(model, layer, s, count);
    for (size_t i = 0; i < (size_t)count * stride; i += LANES)
        store(s->x + i, load(s->x + i) + sigmoid(load(s->r + i)) * load(s->v + i));
}

#endif
