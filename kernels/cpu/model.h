/* What a model is to the decode engine: pointers into tensors that somebody else holds, and the paths that step it.
 *
 * C width, H heads of N = 64 channels, F hidden width of the channel mix, V rows of the vocabulary, L layers, B streams
 * that are stepped together; ranks of what depends on the data are named below.
 *
 * A matrix (rows × columns) lies in panels of 16 rows, and a panel in lines of 64 bytes: 16 rows × as many columns as
 * fit (4 int8, 2 bfloat16, 1 float), a row's columns side by side. Whatever the vector unit, it reads a matrix from
 * front to back, multiplies each line by as many inputs, and never has to add across a register. Rows are padded with
 * zeros to a multiple of 16, columns to a multiple of 32.
 */
#ifndef RADIO_MODEL_H
#define RADIO_MODEL_H

#include <stddef.h>
#include <stdint.h>

enum {
    HEAD = 64,   /* N */
    PANEL = 16,  /* rows of a panel, floats of a line */
    GROUP = 32,  /* columns whose int8 inputs share a scale; what columns are padded to */
    LINE = 64,   /* bytes */
    TILE = 8,    /* streams that share a line while it is in a register */
    KINDS = 5,   /* inputs that the token shift mixes: w, k, v, r, g */
    LARGEST = 1 << 20 /* of any size in a spec: products of two stay far from overflow */
};

enum form { FP32, BF16, INT8 };

enum architecture { RWKV6, RWKV7, ARCHITECTURES };
enum { MIX_RANK, DECAY_RANK, RWKV6_RANKS };                     /* of the token shift, of the decay */
enum { LOW_DECAY, LOW_RATE, LOW_SHARE, LOW_GATE, RWKV7_RANKS }; /* share: of the first layer's values */
enum { RANKS = RWKV7_RANKS };                                   /* the most that one has */

extern const char *const architecture_names[ARCHITECTURES];
extern const int architecture_ranks[ARCHITECTURES]; /* how many each has */

struct spec {
    enum architecture architecture;
    int layers, width, hidden, vocabulary, ranks[RANKS]; /* ranks that it has not are 0 */
};

struct matrix {
    const void *data;
    const float *scale; /* of each row; int8 only */
    int rows, columns;  /* both as padded */
};

struct norm {
    const float *weight, *bias;
};

struct rwkv6_layer {
    struct norm ln1, ln_x, ln2;
    const float *maa_x, *maa[KINDS], *decay, *bonus, *ffn_maa_k, *ffn_maa_r;
    struct matrix maa_w1, maa_w2[KINDS], decay_w1, decay_w2, key, value, receptance, gate, output;
    struct matrix ffn_key, ffn_receptance, ffn_value;
};

struct low_rank {
    const float *base; /* NULL for the gate, which has none */
    struct matrix down, up;
};

struct rwkv7_layer {
    struct norm ln1, ln_x, ln2;
    const float *x_r, *x_w, *x_k, *x_v, *x_a, *x_g, *k_k, *k_a, *r_k, *ffn_x_k;
    struct matrix receptance, key, value, output, ffn_key, ffn_value;
    struct low_rank low[RWKV7_RANKS]; /* no LOW_SHARE in the first layer */
};

struct model {
    struct spec spec;
    enum form form;
    struct matrix embedding; /* its rows lie one after the other, not in panels */
    struct norm ln0, ln_out;
    struct matrix head;
    struct rwkv6_layer *rwkv6; /* L layers of the architecture, the other is NULL */
    struct rwkv7_layer *rwkv7;
};

struct span {
    const void *data;
    size_t bytes;
};

/* Point `model` at `count` tensors in the order of radio.model.packing. Returns NULL, or what is wrong with them in
 * `message` (of 200 bytes). Close what was opened. */
const char *model_open(struct model *model, const struct spec *spec, enum form form, const struct span *tensors,
                       size_t count, char *message);
void model_close(struct model *model);

/* Floats of one stream's state: for each layer the inputs that time mix and channel mix saw last, C each, and WKV's
 * matrices (H, N, N): key, then value. */
size_t state_floats(const struct spec *spec);
/* Floats of one stream's logits, V rounded up to whole panels. */
size_t logits_floats(const struct spec *spec);

/* Room for the intermediate values of `streams` streams. */
struct scratch;
struct scratch *scratch_open(const struct spec *spec, int streams);
int scratch_streams(const struct scratch *scratch);
void scratch_close(struct scratch *scratch);

/* One way of doing the arithmetic. `step` feeds row rows[b] to each stream b: reads the state before[b], writes
 * after[b], which may be the same, and, where `logits` is not NULL, row b of it, logits_floats each. A stream's results
 * do not depend on the others. Rows must be below V. */
struct path {
    const char *name;
    int (*supported)(void);
    void (*step)(const struct model *model, struct scratch *scratch, int streams, const int32_t *rows,
                 const float *const *before, float *const *after, float *logits);
    uint64_t (*read)(const void *data, size_t bytes); /* reads every line once and nothing else: measures memory */
};

/* The paths that were compiled, the best first, closed by NULL; not all need be supported by this processor. */
extern const struct path *const paths[];

#endif
