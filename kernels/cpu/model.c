#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

const char *const architecture_names[ARCHITECTURES] = {"rwkv6", "rwkv7", "rwkv6-experts"};
const int architecture_sizes[ARCHITECTURES] = {RWKV6_SIZES, RWKV7_SIZES, EXPERTS_SIZES};

static int padded(int size, int multiple) { return (size + multiple - 1) / multiple * multiple; }

/* An iterator over the tensors that checks their sizes and stops at the first error. */
struct cursor {
    const struct span *tensors;
    size_t count, next;
    enum weight_format format;
    char *message;
    int failed;
};

static const void *next_tensor(struct cursor *cursor, size_t bytes) {
    size_t index = cursor->next++;
    if (cursor->failed || index >= cursor->count) {
        if (!cursor->failed) snprintf(cursor->message, 200, "too few tensors: got %zu", cursor->count);
        cursor->failed = 1;
        return NULL;
    }
    if (cursor->tensors[index].bytes != bytes) {
        snprintf(cursor->message, 200, "tensor %zu has %zu bytes, expected %zu", index, cursor->tensors[index].bytes,
                 bytes);
        cursor->failed = 1;
        return NULL;
    }
    return cursor->tensors[index].data;
}

static const float *next_floats(struct cursor *cursor, int count) {
    return next_tensor(cursor, (size_t)count * sizeof(float));
}

static struct norm next_norm(struct cursor *cursor, int width) {
    struct norm norm;
    norm.weight = next_floats(cursor, width);
    norm.bias = next_floats(cursor, width);
    return norm;
}

static size_t element_bytes(enum weight_format format) { return format == FP32 ? 4 : format == BF16 ? 2 : 1; }

static void next_matrices(struct cursor *cursor, struct matrix *matrices, int count, int rows, int columns) {
    rows = padded(rows, PANEL);
    columns = padded(columns, GROUP);
    size_t bytes = (size_t)rows * (size_t)columns * element_bytes(cursor->format);
    const char *data = next_tensor(cursor, bytes * (size_t)count);
    const float *scale = cursor->format == INT8 ? next_floats(cursor, rows * count) : NULL;
    for (int index = 0; index < count && !cursor->failed; index++) {
        matrices[index].data = data + bytes * (size_t)index;
        matrices[index].scale = scale ? scale + rows * index : NULL;
        matrices[index].rows = rows;
        matrices[index].columns = columns;
    }
}

static void next_matrix(struct cursor *cursor, struct matrix *matrix, int rows, int columns) {
    next_matrices(cursor, matrix, 1, rows, columns);
}

/* Return the number of experts in a channel mix of RWKV-6. */
static int experts(const struct spec *spec) {
    return spec->architecture == RWKV6_EXPERTS ? spec->sizes[EXPERTS] : 1;
}

static void next_rwkv6_layer(struct cursor *cursor, struct rwkv6_layer *layer, const struct spec *spec) {
    int width = spec->width, mix_rank = spec->sizes[MIX_RANK], decay_rank = spec->sizes[DECAY_RANK];
    layer->ln1 = next_norm(cursor, width);
    layer->maa_x = next_floats(cursor, width);
    next_matrix(cursor, &layer->maa_w1, KINDS * mix_rank, width);
    for (int kind = 0; kind < KINDS; kind++) layer->maa[kind] = next_floats(cursor, width);
    next_matrices(cursor, layer->maa_w2, KINDS, width, mix_rank);
    layer->decay = next_floats(cursor, width);
    next_matrix(cursor, &layer->decay_w1, decay_rank, width);
    next_matrix(cursor, &layer->decay_w2, width, decay_rank);
    layer->bonus = next_floats(cursor, width);
    next_matrix(cursor, &layer->key, width, width);
    next_matrix(cursor, &layer->value, width, width);
    next_matrix(cursor, &layer->receptance, width, width);
    next_matrix(cursor, &layer->gate, width, width);
    layer->ln_x = next_norm(cursor, width);
    next_matrix(cursor, &layer->output, width, width);
    layer->ln2 = next_norm(cursor, width);
    layer->ffn_maa_k = next_floats(cursor, width);
    layer->ffn_maa_r = next_floats(cursor, width);
    int count = experts(spec);
    next_matrices(cursor, layer->ffn_key, count, spec->hidden, width);
    next_matrix(cursor, &layer->ffn_receptance, width, width);
    next_matrices(cursor, layer->ffn_value, count, width, spec->hidden);
    layer->router = spec->architecture == RWKV6_EXPERTS ? next_floats(cursor, count * width) : NULL;
}

static void next_low_rank(struct cursor *cursor, struct low_rank *low, int width, int rank, int has_base) {
    low->base = has_base ? next_floats(cursor, width) : NULL;
    next_matrix(cursor, &low->down, rank, width);
    next_matrix(cursor, &low->up, width, rank);
}

static void next_rwkv7_layer(struct cursor *cursor, struct rwkv7_layer *layer, const struct spec *spec, int first) {
    int width = spec->width;
    layer->ln1 = next_norm(cursor, width);
    const float **shares[] = {&layer->x_r, &layer->x_w, &layer->x_k, &layer->x_v, &layer->x_a, &layer->x_g};
    for (size_t index = 0; index < sizeof shares / sizeof *shares; index++) *shares[index] = next_floats(cursor, width);
    next_matrix(cursor, &layer->receptance, width, width);
    next_matrix(cursor, &layer->key, width, width);
    next_matrix(cursor, &layer->value, width, width);
    for (int kind = 0; kind < RWKV7_SIZES; kind++)
        if (kind != LOW_SHARE || !first)
            next_low_rank(cursor, &layer->low[kind], width, spec->sizes[kind], kind != LOW_GATE);
    layer->k_k = next_floats(cursor, width);
    layer->k_a = next_floats(cursor, width);
    layer->r_k = next_floats(cursor, width);
    layer->ln_x = next_norm(cursor, width);
    next_matrix(cursor, &layer->output, width, width);
    layer->ln2 = next_norm(cursor, width);
    layer->ffn_x_k = next_floats(cursor, width);
    next_matrix(cursor, &layer->ffn_key, spec->hidden, width);
    next_matrix(cursor, &layer->ffn_value, width, spec->hidden);
}

static int in_range(int size) { return size >= 1 && size <= LARGEST / KINDS; }

const char *model_open(struct model *model, const struct spec *spec, enum weight_format format,
                       const struct span *tensors, size_t count, char *message) {
    int fits = in_range(spec->layers) && in_range(spec->width) && in_range(spec->hidden) && in_range(spec->vocabulary);
    for (int size = 0; size < architecture_sizes[spec->architecture]; size++)
        fits &= in_range(spec->sizes[size]);
    if (!fits) return "a size of the model is out of range";
    if (spec->width % HEAD || spec->hidden % GROUP)
        return "the width must be a multiple of 64, the hidden width a multiple of 32";
    if ((int64_t)spec->hidden * spec->width > INT32_MAX || (int64_t)spec->vocabulary * spec->width > INT32_MAX)
        return "the model is too large";
    if (spec->architecture == RWKV6_EXPERTS) {
        if (spec->sizes[ACTIVE] > spec->sizes[EXPERTS]) return "more experts are active than there are";
        if ((int64_t)spec->sizes[EXPERTS] * spec->hidden * spec->width > INT32_MAX) return "the model is too large";
    }
    *model = (struct model){.spec = *spec, .format = format};
    size_t layers = (size_t)spec->layers;
    if (spec->architecture == RWKV7) {
        model->rwkv7 = calloc(layers, sizeof *model->rwkv7);
        if (!model->rwkv7) return "out of memory";
    } else {
        size_t each = (size_t)experts(spec);
        model->rwkv6 = calloc(layers, sizeof *model->rwkv6);
        model->experts = calloc(layers * each, 2 * sizeof *model->experts);
        if (!model->rwkv6 || !model->experts) {
            model_close(model);
            return "out of memory";
        }
        for (size_t layer = 0; layer < layers; layer++) {
            model->rwkv6[layer].ffn_key = model->experts + 2 * layer * each;
            model->rwkv6[layer].ffn_value = model->rwkv6[layer].ffn_key + each;
        }
    }
    struct cursor cursor = {.tensors = tensors, .count = count, .format = format, .message = message};
    model->embedding.rows = padded(spec->vocabulary, PANEL);
    model->embedding.columns = spec->width;
    size_t embedding_bytes = (size_t)spec->vocabulary * (size_t)spec->width * element_bytes(format);
    model->embedding.data = next_tensor(&cursor, embedding_bytes);
    if (format == INT8) model->embedding.scale = next_floats(&cursor, model->embedding.rows);
    model->ln0 = next_norm(&cursor, spec->width);
    for (int layer = 0; layer < spec->layers && !cursor.failed; layer++) {
        if (model->rwkv6) next_rwkv6_layer(&cursor, &model->rwkv6[layer], spec);
        else next_rwkv7_layer(&cursor, &model->rwkv7[layer], spec, layer == 0);
    }
    model->ln_out = next_norm(&cursor, spec->width);
    next_matrix(&cursor, &model->head, spec->vocabulary, spec->width);
    if (!cursor.failed && cursor.next != count) {
        snprintf(message, 200, "got %zu tensors, expected %zu", count, cursor.next);
        cursor.failed = 1;
    }
    if (!cursor.failed) return NULL;
    model_close(model);
    return message;
}

void model_close(struct model *model) {
    free(model->rwkv6);
    free(model->rwkv7);
    free(model->experts);
    model->rwkv6 = NULL;
    model->rwkv7 = NULL;
    model->experts = NULL;
}

size_t state_floats(const struct spec *spec) {
    return (size_t)spec->layers * (size_t)spec->width * (2 + HEAD);
}

size_t logits_floats(const struct spec *spec) { return (size_t)padded(spec->vocabulary, PANEL); }

/* Reserve an array at the end of the used part of `block`. With block = NULL only count the bytes. */
static void *reserve(char *block, size_t *used, size_t bytes) {
    void *array = block ? block + *used : NULL;
    *used += (bytes + LINE - 1) / LINE * LINE;
    return array;
}

static size_t layout(struct scratch *scratch, char *block) {
    size_t used = 0, count = (size_t)scratch->streams, width = count * scratch->width * sizeof(float);
    float **arrays[] = {&scratch->x, &scratch->normed, &scratch->delta, &scratch->input, &scratch->offset,
                        &scratch->w, &scratch->k,      &scratch->v,     &scratch->r,     &scratch->g};
    for (size_t index = 0; index < sizeof arrays / sizeof *arrays; index++)
        *arrays[index] = reserve(block, &used, width);
    scratch->kinds = reserve(block, &used, count * scratch->kinds_width * sizeof(float));
    scratch->mixed = reserve(block, &used, count * scratch->mix * sizeof(float));
    scratch->segment = reserve(block, &used, count * scratch->rank * sizeof(float));
    scratch->a = reserve(block, &used, count * scratch->a_width * sizeof(float));
    scratch->first = reserve(block, &used, count * scratch->a_width * sizeof(float));
    scratch->projected = reserve(block, &used, count * scratch->low * sizeof(float));
    scratch->squared = reserve(block, &used, count * scratch->hidden * sizeof(float));
    scratch->shares = reserve(block, &used, scratch->experts * sizeof(float));
    scratch->values = reserve(block, &used, count * scratch->quantized);
    scratch->scales = reserve(block, &used, count * scratch->quantized / GROUP * sizeof(float));
    scratch->offsets = reserve(block, &used, count * scratch->quantized / GROUP * sizeof(int32_t));
    return used;
}

struct scratch *scratch_open(const struct spec *spec, int streams) {
    struct scratch sizes = {
        .streams = streams,
        .width = (size_t)spec->width,
        .hidden = (size_t)padded(spec->hidden, GROUP),
    };
    int largest = 0; /* rank of the vectors in `projected` */
    if (spec->architecture != RWKV7) {
        sizes.experts = (size_t)padded(experts(spec), PANEL);
        sizes.kinds_width = KINDS * sizes.width;
        sizes.mix = (size_t)padded(KINDS * spec->sizes[MIX_RANK], PANEL);
        sizes.rank = (size_t)padded(spec->sizes[MIX_RANK], GROUP);
        largest = spec->sizes[DECAY_RANK];
    } else {
        sizes.a_width = sizes.width;
        for (int kind = 0; kind < RWKV7_SIZES; kind++)
            if (spec->sizes[kind] > largest) largest = spec->sizes[kind];
    }
    sizes.low = (size_t)padded(largest, GROUP);
    const size_t vectors[] = {sizes.width, sizes.hidden, sizes.rank, sizes.low};
    for (size_t index = 0; index < sizeof vectors / sizeof *vectors; index++)
        if (vectors[index] > sizes.quantized) sizes.quantized = vectors[index];
    size_t start = (sizeof(struct scratch) + LINE - 1) / LINE * LINE, bytes = start + layout(&sizes, NULL);
    char *block = aligned_alloc(LINE, bytes);
    if (!block) return NULL;
    memset(block, 0, bytes); /* the padding of segment and projected stays zero */
    layout(&sizes, block + start);
    memcpy(block, &sizes, sizeof sizes);
    return (struct scratch *)(void *)block;
}

int scratch_streams(const struct scratch *scratch) { return scratch->streams; }

void scratch_close(struct scratch *scratch) { free(scratch); }
