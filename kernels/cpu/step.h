/* A step of B streams for all architectures: embedding, layers, head. */
#ifndef RADIO_STEP_H
#define RADIO_STEP_H

#include "denormals.h"
#include "rwkv6.h"
#include "rwkv7.h"

INLINE void embed(const struct model *model, int32_t row, float *x) {
    int width = model->spec.width;
    const struct matrix *table = &model->embedding;
    size_t start = (size_t)row * (size_t)width;
    for (int i = 0; i < width; i++) {
        if (model->format == INT8) {
            x[i] = table->scale[row] * (float)((const int8_t *)table->data)[start + (size_t)i];
        } else if (model->format == BF16) {
            uint32_t bits = (uint32_t)((const uint16_t *)table->data)[start + (size_t)i] << 16;
            memcpy(x + i, &bits, sizeof bits);
        } else {
            x[i] = ((const float *)table->data)[start + (size_t)i];
        }
    }
    normalize(x, model->ln0, LAYER_NORM_EPS, width, x);
}

static void step(const struct model *model, struct scratch *s, int count, const int32_t *rows,
                 const float *const *before, float *const *after, float *logits) {
    unsigned long long control = flush_denormals();
    const size_t stride = s->width;
    for (int b = 0; b < count; b++) embed(model, rows[b], s->x + b * stride);
    for (int number = 0; number < model->spec.layers; number++) {
        size_t start = (size_t)number * stride * (2 + HEAD);
        if (model->rwkv6) {
            rwkv6_time_mix(model, &model->rwkv6[number], s, count, before, after, start);
            rwkv6_channel_mix(model, &model->rwkv6[number], s, count, before, after, start);
        } else {
            rwkv7_time_mix(model, &model->rwkv7[number], s, count, before, after, start, number == 0);
            rwkv7_channel_mix(model, &model->rwkv7[number], s, count, before, after, start);
        }
    }
    for (int b = 0; b < count && logits; b++)
        normalize(s->x + b * stride, model->ln_out, LAYER_NORM_EPS, model->spec.width, s->input + b * stride);
    if (logits) multiply(model->format, &model->head, s, count, s->input, stride, logits, (size_t)model->head.rows);
    restore_denormals(control);
}

static uint64_t read_lines(const void *data, size_t count) {
    uvec totals[4 * PARTS] = {0};
    const char *line = data;
    for (size_t index = 0; index + 4 * LINE <= count; index += 4 * LINE, line += 4 * LINE)
        for (int p = 0; p < 4 * PARTS; p++) {
            uvec value;
            memcpy(&value, line + (size_t)p * sizeof value, sizeof value);
            totals[p] += value;
        }
    uint64_t total = 0;
    for (int p = 0; p < 4 * PARTS; p++)
        for (int i = 0; i < LANES; i++) total += totals[p][i];
    return total;
}

#endif
