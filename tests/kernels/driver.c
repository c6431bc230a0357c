/* Runs the decode engine without Python, for sanitizers and for other processors: driver FILE PATH > LOGITS.
 *
 * FILE, as test_cpu.py writes it, all little-endian: eleven int32 (architecture, layers, width, hidden, vocabulary, four
 * ranks or 0, form, tensors), for each tensor its bytes' number as uint64 and the bytes, then streams and steps as int32 and
 * steps × streams rows as int32. Each tensor gets memory of its own size, so that reading beyond it is seen. Written
 * are the logits (V floats) of each stream after each step. PATH "list" writes the names of the paths instead.
 * Status 2: the file; 3: no such path here; 4: tensors of wrong sizes were taken; 5: a batch is not its streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static void *get(FILE *file, size_t bytes) {
    void *data = malloc(bytes ? bytes : 1);
    if (!data || fread(data, 1, bytes, file) != bytes) exit(2);
    return data;
}

static void check_sizes(const struct spec *spec, enum form form, struct span *tensors, size_t count) {
    char message[200];
    struct model model;
    if (!model_open(&model, spec, form, tensors, count - 1, message)) exit(4);
    if (!model_open(&model, spec, form, tensors, 0, message)) exit(4);
    for (size_t place = 0; place < count; place++) {
        tensors[place].bytes--;
        if (!model_open(&model, spec, form, tensors, count, message)) exit(4);
        tensors[place].bytes++;
    }
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[2], "list")) {
        for (int place = 0; paths[place]; place++)
            if (paths[place]->supported()) puts(paths[place]->name);
        return 0;
    }
    FILE *file = count == 3 ? fopen(arguments[1], "rb") : NULL;
    if (!file) return 2;
    const struct path *path = NULL;
    for (int place = 0; paths[place]; place++)
        if (!strcmp(paths[place]->name, arguments[2]) && paths[place]->supported()) path = paths[place];
    if (!path) return 3;

    int32_t *head = get(file, 11 * sizeof *head);
    struct spec spec = {(enum architecture)head[0], head[1], head[2], head[3], head[4], {0}};
    memcpy(spec.ranks, head + 5, sizeof spec.ranks);
    enum form form = (enum form)head[9];
    size_t tensors = (size_t)head[10];
    struct span *spans = malloc(tensors * sizeof *spans);
    for (size_t place = 0; place < tensors; place++) {
        uint64_t *bytes = get(file, sizeof *bytes);
        spans[place] = (struct span){get(file, (size_t)*bytes), (size_t)*bytes};
        free(bytes);
    }
    int32_t *run = get(file, 2 * sizeof *run);
    int streams = run[0], steps = run[1];
    int32_t *rows = get(file, (size_t)streams * (size_t)steps * sizeof *rows);
    fclose(file);

    check_sizes(&spec, form, spans, tensors);
    char message[200];
    struct model model;
    const char *fault = model_open(&model, &spec, form, spans, tensors, message);
    if (fault) return fprintf(stderr, "%s\n", fault), 2;

    size_t state = state_floats(&spec), wide = logits_floats(&spec);
    struct scratch *together = scratch_open(&spec, streams), *alone = scratch_open(&spec, 1);
    float **before = malloc((size_t)streams * sizeof *before), **after = malloc((size_t)streams * sizeof *after);
    float *logits = malloc((size_t)streams * wide * sizeof *logits), *single = malloc(wide * sizeof *single);
    float *first = calloc(state, sizeof *first); /* of stream 0, in place */
    for (int b = 0; b < streams; b++) {
        before[b] = calloc(state, sizeof **before);
        after[b] = malloc(state * sizeof **after);
    }
    for (int number = 0; number < steps; number++, rows += streams) {
        path->step(&model, together, streams, rows, (const float *const *)before, after, logits);
        const float *from = first;
        path->step(&model, alone, 1, rows, &from, &first, single);
        if (memcmp(single, logits, wide * sizeof *single) || memcmp(first, after[0], state * sizeof *first)) return 5;
        for (int b = 0; b < streams; b++) {
            fwrite(logits + (size_t)b * wide, sizeof *logits, (size_t)spec.vocabulary, stdout);
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
    for (size_t place = 0; place < tensors; place++) free((void *)spans[place].data);
    free(before), free(after), free(logits), free(single), free(first), free(rows), free(run), free(head), free(spans);
    scratch_close(together);
    scratch_close(alone);
    model_close(&model);
    return 0;
}
