/* A model for the decode engine: pointers into tensors owned by the caller, and the code paths that step it.
 *
 * Shapes: C width, H heads of N = 64 channels, F hidden width of the channel mix, V rows of the vocabulary, L layers,
 * E experts of a channel mix, B streams that are stepped together. The ranks of data-dependent vectors are named below.
 *
 * A matrix (rows × columns) is stored in panels of 16 rows, and a panel in lines of 64 bytes: 16 rows × as many columns
 * as fit (4 int8, 2 bfloat16, 1 float), with the columns of a row adjacent. A vector unit of any width reads a matrix
 * sequentially, multiplies each line by one input per column, and never adds across a register. Rows are padded with
 * zeros to a multiple of 16, columns to a multiple of 32.
 */
#ifndef RADIO_MODEL_H
#define RADIO_MODEL_H

#include <stddef.h>
#include <stdint.h>

enum {
    HEAD = 64,   /* N */
    PANEL = 16,  /* rows of a panel, floats of a line */
    GROUP = 32,  /* columns whose int8 inputs share a scale; columns are padded to a multiple of it */
    LINE = 64,   /* bytes */
    TILE = 8,    /* maximum number of streams that use a line while it is in a register */
    KINDS = 5,   /* inputs that the token shift mixes: w, k, v, r, g */
    LARGEST = 1 << 20 /* limit of each size in a spec, so that products of two do not overflow */
};

enum weight_format { FP32, BF16, INT8 };

enum architecture { RWKV6, RWKV7, RWKV6_EXPERTS, ARCHITECTURES };
/* The sizes specific to an architecture, mostly ranks. */
enum { MIX_RANK, DECAY_RANK, RWKV6_SIZES };                     /* token shift, decay */
enum { EXPERTS = RWKV6_SIZES, ACTIVE, EXPERTS_SIZES };          /* experts of a channel mix; those active for a token */
enum { LOW_DECAY, LOW_RATE, LOW_SHARE, LOW_GATE, RWKV7_SIZES }; /* LOW_SHARE: share of the values of the first layer */
enum { SIZES = RWKV7_SIZES };                                   /* maximum number of sizes */

extern const char *const architecture_names[ARCHITECTURES];
extern const int architecture_sizes[ARCHITECTURES]; /* number of sizes of each */

struct spec {
    enum architecture architecture;
    int layers, width, hidden, vocabulary, sizes[SIZES]; /* unused sizes are 0 */
};

struct matrix {
    const void *data;
    const float *scale; /* one per row; int8 only */
    int rows, columns;  /* padded sizes */
};

struct norm {
    const float *weight, *bias;
};

struct rwkv6_layer {
    struct norm ln1, ln_x, ln2;
    const float *maa_x, *maa[KINDS], *decay, *bonus, *ffn_maa_k, *ffn_maa_r;
    struct matrix maa_w1, maa_w2[KINDS], decay_w1, decay_w2, key, value, receptance, gate, output;
    struct matrix ffn_receptance, *ffn_key, *ffn_value; /* one key and one value for each expert */
    const float *router;                                /* E × C, or NULL for one expert that is always active */
};

struct low_rank {
    const float *base; /* NULL for the gate */
    struct matrix down, up;
};

struct rwkv7_layer {
    struct norm ln1, ln_x, ln2;
    const float *x_r, *x_w, *x_k, *x_v, *x_a, *x_g, *k_k, *k_a, *r_k, *ffn_x_k;
    struct matrix receptance, key, value, output, ffn_key, ffn_value;
    struct low_rank low[RWKV7_SIZES]; /* the first layer has no LOW_SHARE */
};

struct model {
    struct spec spec;
    enum weight_format format;
    struct matrix embedding; /* row by row, not in panels */
    struct norm ln0, ln_out;
    struct matrix head;
    struct rwkv6_layer *rwkv6; /* L layers of RWKV-6, with or without experts, or NULL; likewise rwkv7 */
    struct rwkv7_layer *rwkv7;
    struct matrix *experts; /* the keys and values of all layers of RWKV-6 */
};

struct span {
    const void *data;
    size_t bytes;
};

/* Point `model` at `count` tensors in the order of radio.model.weights.packing. Return NULL on success, else an error
 * message, which may be in `message` (200 bytes). Call model_close after success. */
const char *model_open(struct model *model, const struct spec *spec, enum weight_format format,
                       const struct span *tensors, size_t count, char *message);
void model_close(struct model *model);

/* Floats of the state of one stream: per layer the latest inputs of time mix and channel mix, C each, and the WKV
 * matrices (H, N, N) with the key axis before the value axis. */
size_t state_floats(const struct spec *spec);
/* Floats of the logits of one stream: V rounded up to whole panels. */
size_t logits_floats(const struct spec *spec);

/* Memory for the intermediate values of `streams` streams. */
struct scratch;
struct scratch *scratch_open(const struct spec *spec, int streams);
int scratch_streams(const struct scratch *scratch);
void scratch_close(struct scratch *scratch);

/* A code path: the engine compiled for one instruction set. `step` feeds row rows[b] to each stream b. It reads the
 * state before[b] and writes after[b], which may be the same memory, and row b of `logits` (logits_floats each) unless
 * `logits` is NULL. The result of a stream does not depend on the other streams. Rows must be below V. */
struct path {
    const char *name;
    int (*supported)(void);
    void (*step)(const struct model *model, struct scratch *scratch, int streams, const int32_t *rows,
                 const float *const *before, float *const *after, float *logits);
    uint64_t (*read)(const void *data, size_t bytes); /* read all lines once, to measure memory bandwidth */
};

/* The compiled paths, fastest first, terminated by NULL. The processor may support only some of them. */
extern const struct path *const paths[];

#endif
