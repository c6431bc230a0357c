/* Run the decode engine without Python, for sanitizers and emulated processors: driver FILE PATH > LOGITS.
 *
 * test_cpu.py writes FILE, all little-endian: eleven int32 (architecture, layers, width, hidden, vocabulary, four sizes
 * of the architecture or 0, weight format, tensors); for each tensor its size as uint64 and its bytes; then streams and
 * steps as int32, and steps × streams rows as int32. Each tensor gets its own allocation, so that sanitizers detect reads
 * beyond it. Writes the logits (V floats) of each stream after each step. With PATH "list" it writes the names of the
 * supported paths instead.
 *
 * Exit status: 2 if the file is invalid, 3 if the path is not supported, 4 if tensors of wrong sizes are accepted, 5 if
 * a batch differs from its streams computed one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static void *read_bytes(FILE *file, size_t bytes) {
    void *data = malloc(bytes ? bytes : 1);
    if (!data || fread(data, 1, bytes, file) != bytes) exit(2);
    return data;
}

static void check_sizes(const struct spec *spec, enum weight_format format, struct span *tensors, size_t count) {
    char message[200];
    struct model model;
    if (!model_open(&model, spec, format, tensors, count - 1, message)) exit(4);
    if (!model_open(&model, spec, format, tensors, 0, message)) exit(4);
    for (size_t index = 0; index < count; index++) {
        tensors[index].bytes--;
        if (!model_open(&model, spec, format, tensors, count, message)) exit(4);
        tensors[index].bytes++;
    }
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[2], "list")) {
        for (int index = 0; paths[index]; index++)
            if (paths[index]->supported()) puts(paths[index]->name);
        return 0;
    }
    FILE *file = count == 3 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return 2;
    const struct path *path = NULL;
    for (int index = 0; paths[index]; index++)
        if (!strcmp(paths[index]->name, arguments[2]) && paths[index]->supported()) path = paths[index];
    if (!path) return 3;

    int32_t *head = read_bytes(file, 11 * sizeof *head);
    struct spec spec = {(enum architecture)head[0], head[1], head[2], head[3], head[4], {0}};
    memcpy(spec.sizes, head + 5, sizeof spec.sizes);
    enum weight_format format = (enum weight_format)head[9];
    size_t tensors = (size_t)head[10];
    struct span *spans = malloc(tensors * sizeof *spans);
    for (size_t index = 0; index < tensors; index++) {
        uint64_t *bytes = read_bytes(file, sizeof *bytes);
        spans[index] = (struct span){read_bytes(file, (size_t)*bytes), (size_t)*bytes};
        free(bytes);
    }
    int32_t *run = read_bytes(file, 2 * sizeof *run);
    int streams = run[0], steps = run[1];
    int32_t *rows = read_bytes(file, (size_t)streams * (size_t)steps * sizeof *rows);
    fclose(file);

    check_sizes(&spec, format, spans, tensors);
    char message[200];
    struct model model;
    const char *error = model_open(&model, &spec, format, spans, tensors, message);
    if (error) return fprintf(stderr, "%s\n", error), 2;

    size_t state = state_floats(&spec), stride = logits_floats(&spec);
    struct scratch *together = scratch_open(&spec, streams), *alone = scratch_open(&spec, 1);
    float **before = malloc((size_t)streams * sizeof *before), **after = malloc((size_t)streams * sizeof *after);
    float *logits = malloc((size_t)streams * stride * sizeof *logits), *single = malloc(stride * sizeof *single);
    float *first = calloc(state, sizeof *first); /* state of stream 0, updated in place */
    for (int b = 0; b < streams; b++) {
        before[b] = calloc(state, sizeof **before);
        after[b] = malloc(state * sizeof **after);
    }
    for (int number = 0; number < steps; number++, rows += streams) {
        path->step(&model, together, streams, rows, (const float *const *)before, after, logits);
        const float *from = first;
        path->step(&model, alone, 1, rows, &from, &first, single);
        if (memcmp(single, logits, stride * sizeof *single) || memcmp(first, after[0], state * sizeof *first)) return 5;
        for (int b = 0; b < streams; b++) {
            fwrite(logits + (size_t)b * stride, sizeof *logits, (size_t)spec.vocabulary, stdout);
            float *swapped = before[b];
            before[b] = after[b];
            after[b] = swapped;
        }
    }
    rows -= streams * steps;
    path->read(spans[0].data, spans[0].bytes);

    for (int b = 0; b < streams; b++) {
        free(before[b]);
        free(after[b]);
    }
    for (size_t index = 0; index < tensors; index++) free((void *)spans[index].data);
    free(before), free(after), free(logits), free(single), free(first), free(rows), free(run), free(head), free(spans);
    scratch_close(together);
    scratch_close(alone);
    model_close(&model);
    return 0;
}
