#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

const char *const architecture_names[ARCHITECTURES] = {"rwkv6", "rwkv7"};
const int architecture_ranks[ARCHITECTURES] = {RWKV6_RANKS, RWKV7_RANKS};

static int padded(int size, int multiple) { return (size + multiple - 1) / multiple * multiple; }

/* Hands out the tensors one by one and remembers the first that has not the size it must have. */
struct cursor {
    const struct span *tensors;
    size_t count, next;
    enum form form;
    char *message;
    int failed;
};

static const void *take(struct cursor *cursor, size_t bytes) {
    size_t place = cursor->next++;
    if (cursor->failed || place >= cursor->count) {
        if (!cursor->failed) snprintf(cursor->message, 200, "there are only %zu tensors", cursor->count);
        cursor->failed = 1;
        return NULL;
    }
    if (cursor->tensors[place].bytes != bytes) {
        snprintf(cursor->message, 200, "tensor %zu has %zu bytes, not %zu", place, cursor->tensors[place].bytes, bytes);
        cursor->failed = 1;
        return NULL;
    }
    return cursor->tensors[place].data;
}

static const float *take_floats(struct cursor *cursor, int count) {
    return take(cursor, (size_t)count * sizeof(float));
}

static struct norm take_norm(struct cursor *cursor, int width) {
    struct norm norm;
    norm.weight = take_floats(cursor, width);
    norm.bias = take_floats(cursor, width);
    return norm;
}

static size_t element(enum form form) { return form == FP32 ? 4 : form == BF16 ? 2 : 1; }

static void take_matrices(struct cursor *cursor, struct matrix *matrices, int count, int rows, int columns) {
    rows = padded(rows, PANEL);
    columns = padded(columns, GROUP);
    size_t bytes = (size_t)rows * (size_t)columns * element(cursor->form);
    const char *data = take(cursor, bytes * (size_t)count);
    const float *scale = cursor->form == INT8 ? take_floats(cursor, rows * count) : NULL;
    for (int place = 0; place < count && !cursor->failed; place++) {
        matrices[place].data = data + bytes * (size_t)place;
        matrices[place].scale = scale ? scale + rows * place : NULL;
        matrices[place].rows = rows;
        matrices[place].columns = columns;
    }
}

static void take_matrix(struct cursor *cursor, struct matrix *matrix, int rows, int columns) {
    take_matrices(cursor, matrix, 1, rows, columns);
}

static void take_rwkv6_layer(struct cursor *cursor, struct rwkv6_layer *layer, const struct spec *spec) {
    int width = spec->width, mix_rank = spec->ranks[MIX_RANK], decay_rank = spec->ranks[DECAY_RANK];
    layer->ln1 = take_norm(cursor, width);
    layer->maa_x = take_floats(cursor, width);
    take_matrix(cursor, &layer->maa_w1, KINDS * mix_rank, width);
    for (int kind = 0; kind < KINDS; kind++) layer->maa[kind] = take_floats(cursor, width);
    take_matrices(cursor, layer->maa_w2, KINDS, width, mix_rank);
    layer->decay = take_floats(cursor, width);
    take_matrix(cursor, &layer->decay_w1, decay_rank, width);
    take_matrix(cursor, &layer->decay_w2, width, decay_rank);
    layer->bonus = take_floats(cursor, width);
    take_matrix(cursor, &layer->key, width, width);
    take_matrix(cursor, &layer->value, width, width);
    take_matrix(cursor, &layer->receptance, width, width);
    take_matrix(cursor, &layer->gate, width, width);
    layer->ln_x = take_norm(cursor, width);
    take_matrix(cursor, &layer->output, width, width);
    layer->ln2 = take_norm(cursor, width);
    layer->ffn_maa_k = take_floats(cursor, width);
    layer->ffn_maa_r = take_floats(cursor, width);
    take_matrix(cursor, &layer->ffn_key, spec->hidden, width);
    take_matrix(cursor, &layer->ffn_receptance, width, width);
    take_matrix(cursor, &layer->ffn_value, width, spec->hidden);
}

static void take_low_rank(struct cursor *cursor, struct low_rank *low, int width, int rank, int based) {
    low->base = based ? take_floats(cursor, width) : NULL;
    take_matrix(cursor, &low->down, rank, width);
    take_matrix(cursor, &low->up, width, rank);
}

static void take_rwkv7_layer(struct cursor *cursor, struct rwkv7_layer *layer, const struct spec *spec, int first) {
    int width = spec->width;
    layer->ln1 = take_norm(cursor, width);
    const float **shares[] = {&layer->x_r, &layer->x_w, &layer->x_k, &layer->x_v, &layer->x_a, &layer->x_g};
    for (size_t place = 0; place < sizeof shares / sizeof *shares; place++) *shares[place] = take_floats(cursor, width);
    take_matrix(cursor, &layer->receptance, width, width);
    take_matrix(cursor, &layer->key, width, width);
    take_matrix(cursor, &layer->value, width, width);
    for (int kind = 0; kind < RWKV7_RANKS; kind++)
        if (kind != LOW_SHARE || !first)
            take_low_rank(cursor, &layer->low[kind], width, spec->ranks[kind], kind != LOW_GATE);
    layer->k_k = take_floats(cursor, width);
    layer->k_a = take_floats(cursor, width);
    layer->r_k = take_floats(cursor, width);
    layer->ln_x = take_norm(cursor, width);
    take_matrix(cursor, &layer->output, width, width);
    layer->ln2 = take_norm(cursor, width);
    layer->ffn_x_k = take_floats(cursor, width);
    take_matrix(cursor, &layer->ffn_key, spec->hidden, width);
    take_matrix(cursor, &layer->ffn_value, width, spec->hidden);
}

static int in_range(int size) { return size >= 1 && size <= LARGEST / KINDS; }

const char *model_open(struct model *model, const struct spec *spec, enum form form, const struct span *tensors,
                       size_t count, char *message) {
    int fits = in_range(spec->layers) && in_range(spec->width) && in_range(spec->hidden) && in_range(spec->vocabulary);
    for (int rank = 0; rank < architecture_ranks[spec->architecture]; rank++) fits &= in_range(spec->ranks[rank]);
    if (!fits) return "a size of the model is out of range";
    if (spec->width % HEAD || spec->hidden % GROUP) return "the width is no multiple of 64, or the hidden width of 32";
    if ((int64_t)spec->hidden * spec->width > INT32_MAX || (int64_t)spec->vocabulary * spec->width > INT32_MAX)
        return "the model is too large";
    *model = (struct model){.spec = *spec, .form = form};
    size_t layers = (size_t)spec->layers;
    if (spec->architecture == RWKV6) model->rwkv6 = calloc(layers, sizeof *model->rwkv6);
    else model->rwkv7 = calloc(layers, sizeof *model->rwkv7);
    if (!model->rwkv6 && !model->rwkv7) return "out of memory";
    struct cursor cursor = {.tensors = tensors, .count = count, .form = form, .message = message};
    model->embedding.rows = padded(spec->vocabulary, PANEL);
    model->embedding.columns = spec->width;
    model->embedding.data = take(&cursor, (size_t)spec->vocabulary * (size_t)spec->width * element(form));
    if (form == INT8) model->embedding.scale = take_floats(&cursor, model->embedding.rows);
    model->ln0 = take_norm(&cursor, spec->width);
    for (int layer = 0; layer < spec->layers && !cursor.failed; layer++) {
        if (model->rwkv6) take_rwkv6_layer(&cursor, &model->rwkv6[layer], spec);
        else take_rwkv7_layer(&cursor, &model->rwkv7[layer], spec, layer == 0);
    }
    model->ln_out = take_norm(&cursor, spec->width);
    take_matrix(&cursor, &model->head, spec->vocabulary, spec->width);
    if (!cursor.failed && cursor.next != count) {
        snprintf(message, 200, "there are %zu tensors, not %zu", count, cursor.next);
        cursor.failed = 1;
    }
    if (!cursor.failed) return NULL;
    model_close(model);
    return message;
}

void model_close(struct model *model) {
    free(model->rwkv6);
    free(model->rwkv7);
    model->rwkv6 = NULL;
    model->rwkv7 = NULL;
}

size_t state_floats(const struct spec *spec) {
    return (size_t)spec->layers * (size_t)spec->width * (2 + HEAD);
}

size_t logits_floats(const struct spec *spec) { return (size_t)padded(spec->vocabulary, PANEL); }

/* Lays out one array behind another in one block of memory; measures only, where there is no block yet. */
static void *lay(char *block, size_t *used, size_t bytes) {
    void *place = block ? block + *used : NULL;
    *used += (bytes + LINE - 1) / LINE * LINE;
    return place;
}

static size_t lay_out(struct scratch *scratch, char *block) {
    size_t used = 0, count = (size_t)scratch->streams, width = count * scratch->width * sizeof(float);
    float **wide[] = {&scratch->x, &scratch->seen, &scratch->delta, &scratch->input, &scratch->offset,
                      &scratch->w, &scratch->k,    &scratch->v,     &scratch->r,     &scratch->g};
    for (size_t place = 0; place < sizeof wide / sizeof *wide; place++) *wide[place] = lay(block, &used, width);
    scratch->kinds = lay(block, &used, count * scratch->kinds_width * sizeof(float));
    scratch->mixed = lay(block, &used, count * scratch->mix * sizeof(float));
    scratch->segment = lay(block, &used, count * scratch->rank * sizeof(float));
    scratch->a = lay(block, &used, count * scratch->a_width * sizeof(float));
    scratch->first = lay(block, &used, count * scratch->a_width * sizeof(float));
    scratch->lowered = lay(block, &used, count * scratch->low * sizeof(float));
    scratch->squared = lay(block, &used, count * scratch->hidden * sizeof(float));
    scratch->values = lay(block, &used, count * scratch->quantised);
    scratch->scales = lay(block, &used, count * scratch->quantised / GROUP * sizeof(float));
    scratch->offsets = lay(block, &used, count * scratch->quantised / GROUP * sizeof(int32_t));
    return used;
}

struct scratch *scratch_open(const struct spec *spec, int streams) {
    struct scratch sizes = {
        .streams = streams,
        .width = (size_t)spec->width,
        .hidden = (size_t)padded(spec->hidden, GROUP),
    };
    int largest = 0; /* of what goes through `lowered` */
    if (spec->architecture == RWKV6) {
        sizes.kinds_width = KINDS * sizes.width;
        sizes.mix = (size_t)padded(KINDS * spec->ranks[MIX_RANK], PANEL);
        sizes.rank = (size_t)padded(spec->ranks[MIX_RANK], GROUP);
        largest = spec->ranks[DECAY_RANK];
    } else {
        sizes.a_width = sizes.width;
        for (int kind = 0; kind < RWKV7_RANKS; kind++)
            if (spec->ranks[kind] > largest) largest = spec->ranks[kind];
    }
    sizes.low = (size_t)padded(largest, GROUP);
    const size_t vectors[] = {sizes.width, sizes.hidden, sizes.rank, sizes.low};
    for (size_t place = 0; place < sizeof vectors / sizeof *vectors; place++)
        if (vectors[place] > sizes.quantised) sizes.quantised = vectors[place];
    size_t start = (sizeof(struct scratch) + LINE - 1) / LINE * LINE, bytes = start + lay_out(&sizes, NULL);
    char *block = aligned_alloc(LINE, bytes);
    if (!block) return NULL;
    memset(block, 0, bytes); /* what stands behind segment and lowered stays zero */
    lay_out(&sizes, block + start);
    memcpy(block, &sizes, sizeof sizes);
    return (struct scratch *)(void *)block;
}

int scratch_streams(const struct scratch *scratch) { return scratch->streams; }

void scratch_close(struct scratch *scratch) { free(scratch); }
