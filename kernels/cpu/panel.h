/* Products of a matrix with vectors, by panels of 16 rows, for 1 to 8 streams together. See model.h for the layout.
 *
 * The order of additions for a stream does not depend on the number of streams, so each stream of a batch is
 * bit-identical to the same stream alone. With int8 weights, inputs are rounded to int8 in groups of 32 with a scale
 * per group; products are added as integers within a group and as floats across groups.
 *
 * A path defines dot(sum, line, inputs), which adds to each int32 lane of `sum` the four products of the bytes of
 * `line` and `inputs` in that lane (the four inputs are the same in all lanes), and DOT_OFFSET, which is 1 if its dot
 * treats the bytes of `line` as larger by 128. */
#ifndef RADIO_PANEL_H
#define RADIO_PANEL_H

#include "scratch.h"
#include "vector.h"

struct inputs {
    const float *x; /* rows of `stride` floats, zero-padded to the columns of the matrix */
    size_t stride;
    const struct scratch *quantized;
};

INLINE void quantize(const float *x, int columns, int8_t *values, float *scales, int32_t *offsets) {
    for (int group = 0; group < columns / GROUP; group++, x += GROUP, values += GROUP) {
        vec peak = {0};
        for (int i = 0; i < GROUP; i += LANES) peak = larger(magnitude(load(x + i)), peak);
        float most = largest(peak);
        most = most < FLT_MAX ? most : FLT_MAX; /* finite weights can give infinite sums */
        scales[group] = most / 127.0f;
        float inverse = most > 127.0f * FLT_MIN ? 127.0f / most : 0.0f;
        ivec total = {0};
        for (int i = 0; i < GROUP; i += LANES) {
            ivec whole = rounded_ints(smaller(larger(load(x + i) * splat(inverse), splat(-127.0f)), splat(127.0f)));
            bytes narrow = __builtin_convertvector(whole, bytes);
            memcpy(values + i, &narrow, sizeof narrow);
            total += whole;
        }
        int32_t lanes[LANES], added = 0;
        memcpy(lanes, &total, sizeof lanes);
        for (int i = 0; i < LANES; i++) added += lanes[i];
        offsets[group] = -128 * added;
    }
}

INLINE ivec load_four(const int8_t *from) {
    int32_t word;
    memcpy(&word, from, sizeof word);
    return splat_ints(word);
}

INLINE void panel_int8(const int8_t *line, const float *scale, int columns, struct inputs in, int first, float *y,
                       size_t stride, int streams) {
    vec total[TILE][PARTS] = {0};
    const struct scratch *q = in.quantized;
    size_t groups = q->quantized / GROUP;
    for (int group = 0; group < columns / GROUP; group++) {
        ivec part[TILE][PARTS];
        for (int b = 0; b < streams; b++)
            for (int p = 0; p < PARTS; p++)
                part[b][p] = splat_ints(DOT_OFFSET ? q->offsets[(size_t)(first + b) * groups + (size_t)group] : 0);
#pragma GCC unroll 8
        for (int column = 0; column < GROUP; column += 4, line += LINE) {
            ivec weights[PARTS];
            for (int p = 0; p < PARTS; p++) weights[p] = (ivec)load_part(line, p);
            __builtin_prefetch(line + PREFETCH_BYTES);
            for (int b = 0; b < streams; b++) {
                const int8_t *values = q->values + (size_t)(first + b) * q->quantized + group * GROUP + column;
                ivec inputs = load_four(values);
                for (int p = 0; p < PARTS; p++) part[b][p] = dot(part[b][p], weights[p], inputs);
            }
        }
        for (int b = 0; b < streams; b++) {
            vec factor = splat(q->scales[(size_t)(first + b) * groups + (size_t)group]);
            for (int p = 0; p < PARTS; p++) total[b][p] += __builtin_convertvector(part[b][p], vec) * factor;
        }
    }
    for (int b = 0; b < streams; b++)
        for (int p = 0; p < PARTS; p++)
            store(y + (size_t)b * stride + p * LANES, total[b][p] * load(scale + p * LANES));
}

INLINE void panel_bf16(const char *line, int columns, struct inputs in, int first, float *y, size_t stride,
                       int streams) {
    vec even[TILE][PARTS] = {0}, odd[TILE][PARTS] = {0};
    for (int column = 0; column < columns; column += 2, line += LINE) {
        uvec pair[PARTS];
        for (int p = 0; p < PARTS; p++) pair[p] = load_part(line, p);
        __builtin_prefetch(line + PREFETCH_BYTES);
        for (int b = 0; b < streams; b++) {
            const float *x = in.x + (size_t)(first + b) * in.stride + column;
            for (int p = 0; p < PARTS; p++) {
                even[b][p] += (vec)(pair[p] << 16) * splat(x[0]);
                odd[b][p] += (vec)(pair[p] & ~(uvec){0} << 16) * splat(x[1]);
            }
        }
    }
    for (int b = 0; b < streams; b++)
        for (int p = 0; p < PARTS; p++) store(y + (size_t)b * stride + p * LANES, even[b][p] + odd[b][p]);
}

INLINE void panel_fp32(const float *line, int columns, struct inputs in, int first, float *y, size_t stride,
                       int streams) {
    vec total[TILE][PARTS] = {0};
    for (int column = 0; column < columns; column++, line += PANEL) {
        __builtin_prefetch(line + PREFETCH_BYTES / sizeof *line);
        for (int b = 0; b < streams; b++) {
            vec x = splat(in.x[(size_t)(first + b) * in.stride + column]);
            for (int p = 0; p < PARTS; p++) total[b][p] += load(line + p * LANES) * x;
        }
    }
    for (int b = 0; b < streams; b++)
        for (int p = 0; p < PARTS; p++) store(y + (size_t)b * stride + p * LANES, total[b][p]);
}

INLINE void panel(enum weight_format format, const struct matrix *matrix, int row, struct inputs in, int first,
                  float *y, size_t stride, int streams) {
    size_t start = (size_t)row * (size_t)matrix->columns;
    if (format == INT8)
        panel_int8((const int8_t *)matrix->data + start, matrix->scale + row, matrix->columns, in, first, y, stride,
                   streams);
    else if (format == BF16)
        panel_bf16((const char *)matrix->data + 2 * start, matrix->columns, in, first, y, stride, streams);
    else
        panel_fp32((const float *)matrix->data + start, matrix->columns, in, first, y, stride, streams);
}

/* y = matrix · x for `count` streams. x and y are rows of x_stride and y_stride floats; the rows of y have room for
 * whole panels. Uses the int8 vectors of `scratch`. */
static void multiply(enum weight_format format, const struct matrix *matrix, struct scratch *scratch, int count,
                     const float *x, size_t x_stride, float *y, size_t y_stride) {
    struct inputs in = {x, x_stride, scratch};
    size_t groups = scratch->quantized / GROUP;
    for (int b = 0; b < count && format == INT8; b++)
        quantize(x + (size_t)b * x_stride, matrix->columns, scratch->values + (size_t)b * scratch->quantized,
                 scratch->scales + (size_t)b * groups, scratch->offsets + (size_t)b * groups);
    for (int row = 0; row < matrix->rows; row += PANEL)
        for (int first = 0; first < count; first += STREAM_TILE) {
            float *out = y + (size_t)first * y_stride + row;
            switch (count - first < STREAM_TILE ? count - first : STREAM_TILE) {
#define STREAMS(number) \
    case number: panel(format, matrix, row, in, first, out, y_stride, number); break;
                STREAMS(1)
                STREAMS(2)
#if STREAM_TILE > 2
                STREAMS(3)
                STREAMS(4)
#endif
#if STREAM_TILE > 4
                STREAMS(5)
                STREAMS(6)
                STREAMS(7)
                STREAMS(8)
#endif
#undef STREAMS
            }
        }
}

#endif
