/* The WKV operator of RWKV-7, forward and backward, as a scan over the tokens of each head.
 *
 *     S_t = diag(w_t) S_{t-1} + b_tᵀ s_t + k_tᵀ v_t      s_t = a_t S_{t-1}      y_t = r_t S_t      w_t = exp(log_w_t)
 *
 * Source: Peng et al., "RWKV-7 Goose", arXiv 2503.14456, section 4.1.
 *
 * The forward pass stores the state as (key, value), since s_t and y_t are sums over keys; the backward pass as (value,
 * key), since most gradients are sums over values. The forward pass saves s_t, and a state every SPAN tokens; the
 * backward pass recomputes the states in between. Heads are independent and each has a fixed order of additions, so
 * results do not depend on the number of threads. */
#include "head.h"

struct inputs {
    enum dtype dtype; /* of the inputs and their gradients */
    size_t stride;    /* elements between adjacent tokens of a head */
    const void *r, *log_w, *k, *v, *a, *b;
};

/* One chunk of one head. */
struct chunk {
    tokens r, w, k, v, a, b;
    int count;
};

static void read_chunk(struct chunk *chunk, const struct inputs *in, size_t at, int count) {
    chunk->count = count;
    get_tokens(chunk->r, in->r, at, in->stride, count, in->dtype);
    get_tokens(chunk->k, in->k, at, in->stride, count, in->dtype);
    get_tokens(chunk->v, in->v, at, in->stride, count, in->dtype);
    get_tokens(chunk->a, in->a, at, in->stride, count, in->dtype);
    get_tokens(chunk->b, in->b, at, in->stride, count, in->dtype);
    get_tokens(chunk->w, in->log_w, at, in->stride, count, in->dtype);
    for (int t = 0; t < count; t++)
        for (int i = 0; i < N; i += LANES) store(&chunk->w[t][i], safe_exp(load(&chunk->w[t][i])));
}

/* Step state s (key, value) by token t, and store s_t in `removed` and y_t in `y`. */
static void forward_token(const struct chunk *chunk, int t, state s, float *removed, float *y) {
    vec stored[VECTORS] = {0}, value[VECTORS], read[VECTORS] = {0};
    for (int key = 0; key < N; key++)
        UNROLLED
        for (int part = 0; part < VECTORS; part++) stored[part] += load(&s[key][part * LANES]) * chunk->a[t][key];
    memcpy(value, chunk->v[t], sizeof value);
    for (int key = 0; key < N; key++) {
        float w = chunk->w[t][key], b = chunk->b[t][key], k = chunk->k[t][key], r = chunk->r[t][key];
        UNROLLED
        for (int part = 0; part < VECTORS; part++) {
            vec next = load(&s[key][part * LANES]) * w + stored[part] * b + value[part] * k;
            read[part] += next * r;
            store(&s[key][part * LANES], next);
        }
    }
    memcpy(removed, stored, sizeof stored);
    memcpy(y, read, sizeof read);
}

/* removed: s_t for the backward pass, (B, T, H, N). saved: states for it, (B, H, ⌈T / SPAN⌉, N, N), or NULL. */
void wkv7_forward(int threads, int batch, int length, int heads, int dtype, const void *r, const void *log_w,
                  const void *k, const void *v, const void *a, const void *b, const float *before, float *y,
                  float *after, float *removed, float *saved) {
    struct inputs in = {dtype, (size_t)heads * N, r, log_w, k, v, a, b};
    int spans = (length + SPAN - 1) / SPAN;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < batch * heads; pair++) {
        unsigned long long control = flush_denormals();
        struct chunk chunk;
        tokens outputs, removed_tokens;
        state s;
        memcpy(s, before + (size_t)pair * N * N, sizeof s);
        for (int t = 0; t < length; t += CHUNK) {
            size_t at = (((size_t)(pair / heads) * length + t) * heads + pair % heads) * N;
            if (saved && t % SPAN == 0) memcpy(saved + ((size_t)pair * spans + t / SPAN) * N * N, s, sizeof s);
            read_chunk(&chunk, &in, at, length - t < CHUNK ? length - t : CHUNK);
            for (int c = 0; c < chunk.count; c++) forward_token(&chunk, c, s, removed_tokens[c], outputs[c]);
            put_tokens(y, outputs, at, in.stride, chunk.count, FLOAT32);
            put_tokens(removed, removed_tokens, at, in.stride, chunk.count, FLOAT32);
        }
        memcpy(after + (size_t)pair * N * N, s, sizeof s);
        restore_denormals(control);
    }
}

/* A chunk with the inputs of the backward pass. */
struct backward_chunk {
    struct chunk in;
    tokens removed, dy;
};

/* Compute the state after token t from the state s before it, both (value, key). */
static void advance(const struct backward_chunk *chunk, int t, state s, state next) {
    for (int value = 0; value < N; value++)
        UNROLLED
        for (int i = 0; i < N; i += LANES)
            store(&next[value][i], load(&chunk->in.w[t][i]) * load(&s[value][i])
                                       + load(&chunk->in.b[t][i]) * chunk->removed[t][value]
                                       + load(&chunk->in.k[t][i]) * chunk->in.v[t][value]);
}

/* Propagate g, the gradient of the state after token t, to that of the state before it. s and after are the two states;
 * all three are (value, key). Stores the gradients of the token in `to`, with that of log_w as w. */
static void backward_token(const struct backward_chunk *chunk, int t, state s, state after, state g, struct chunk *to) {
    const struct chunk *in = &chunk->in;
    float dremoved[N] __attribute__((aligned(64)));
    for (int first = 0; first < N; first += LANES) {
        vec value_sums[LANES], removed_sums[LANES];
        for (int row = 0; row < LANES; row++) {
            vec k_products = {0}, b_products = {0};
            float *row_gradient = g[first + row], dy = chunk->dy[t][first + row];
            UNROLLED
            for (int i = 0; i < N; i += LANES) {
                vec gradient = load(row_gradient + i) + load(&in->r[t][i]) * dy;
                store(row_gradient + i, gradient);
                k_products += gradient * load(&in->k[t][i]);
                b_products += gradient * load(&in->b[t][i]);
            }
            value_sums[row] = k_products;
            removed_sums[row] = b_products;
        }
        store(&to->v[t][first], sums(value_sums));
        store(dremoved + first, sums(removed_sums));
    }
    for (int i = 0; i < N; i += LANES) {
        vec dr = {0}, dw = {0}, dk = {0}, da = {0}, db = {0}, w = load(&in->w[t][i]), a = load(&in->a[t][i]);
        for (int value = 0; value < N; value++) {
            vec gradient = load(&g[value][i]), past = load(&s[value][i]);
            dr += load(&after[value][i]) * chunk->dy[t][value];
            dw += gradient * past;
            dk += gradient * in->v[t][value];
            db += gradient * chunk->removed[t][value];
            da += past * dremoved[value];
            store(&g[value][i], gradient * w + a * dremoved[value]);
        }
        store(&to->r[t][i], dr);
        store(&to->w[t][i], dw * w);
        store(&to->k[t][i], dk);
        store(&to->a[t][i], da);
        store(&to->b[t][i], db);
    }
}

void wkv7_backward(int threads, int batch, int length, int heads, int dtype, const void *r, const void *log_w,
                   const void *k, const void *v, const void *a, const void *b, const float *removed,
                   const float *saved, const float *dy, const float *dafter, void *dr, void *dlog_w, void *dk,
                   void *dv, void *da, void *db, float *dbefore) {
    struct inputs in = {dtype, (size_t)heads * N, r, log_w, k, v, a, b};
    int spans = (length + SPAN - 1) / SPAN;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < batch * heads; pair++) {
        unsigned long long control = flush_denormals();
        struct backward_chunk chunks[CHUNKS];
        struct chunk to;
        state starts[CHUNKS], past[CHUNK + 1], g;
        transpose(dafter + (size_t)pair * N * N, g[0]);
        for (int span = spans - 1; span >= 0; span--) {
            int start = span * SPAN, count = length - start < SPAN ? length - start : SPAN;
            size_t at = (((size_t)(pair / heads) * length + start) * heads + pair % heads) * N;
            int last = (count - 1) / CHUNK;
            transpose(saved + ((size_t)pair * spans + span) * N * N, starts[0][0]);
            for (int c = 0; c <= last; c++) {
                size_t offset = at + c * CHUNK * in.stride;
                read_chunk(&chunks[c].in, &in, offset, count - c * CHUNK < CHUNK ? count - c * CHUNK : CHUNK);
                get_tokens(chunks[c].removed, removed, offset, in.stride, chunks[c].in.count, FLOAT32);
                get_tokens(chunks[c].dy, dy, offset, in.stride, chunks[c].in.count, FLOAT32);
                if (c == last) break;
                memcpy(starts[c + 1], starts[c], sizeof starts[c]);
                for (int t = 0; t < CHUNK; t++) advance(&chunks[c], t, starts[c + 1], starts[c + 1]);
            }
            for (int c = last; c >= 0; c--) {
                size_t offset = at + c * CHUNK * in.stride;
                int token_count = chunks[c].in.count;
                memcpy(past[0], starts[c], sizeof past[0]);
                for (int t = 0; t < token_count; t++) advance(&chunks[c], t, past[t], past[t + 1]);
                for (int t = token_count - 1; t >= 0; t--)
                    backward_token(&chunks[c], t, past[t], past[t + 1], g, &to);
                put_tokens(dr, to.r, offset, in.stride, token_count, dtype);
                put_tokens(dlog_w, to.w, offset, in.stride, token_count, dtype);
                put_tokens(dk, to.k, offset, in.stride, token_count, dtype);
                put_tokens(dv, to.v, offset, in.stride, token_count, dtype);
                put_tokens(da, to.a, offset, in.stride, token_count, dtype);
                put_tokens(db, to.b, offset, in.stride, token_count, dtype);
            }
        }
        transpose(g[0], dbefore + (size_t)pair * N * N);
        restore_denormals(control);
    }
}
