/* RWKV-7's WKV operator, forward and backward, as the recurrence itself: a scan over the tokens of each head.
 *
 *     S_t = diag(w_t) S_{t-1} + b_tᵀ s_t + k_tᵀ v_t      s_t = a_t S_{t-1}      y_t = r_t S_t      w_t = exp(log_w_t)
 *
 * (Peng et al., "RWKV-7 Goose", arXiv 2503.14456, section 4.1.) Forward, a row of the state is a key's values, since s_t
 * and y_t are sums over keys; backward, a value's keys, since most gradients are sums over values. The forward pass
 * keeps s_t and a state every SPAN tokens; the backward pass computes those between again. Heads are independent and each
 * is computed in one order, so results do not depend on threads. */
#include "head.h"

struct inputs {
    enum kind kind; /* of the inputs and their gradients */
    size_t stride;  /* numbers from a token of a head to the next */
    const void *r, *log_w, *k, *v, *a, *b;
};

/* One chunk of one head. */
struct chunk {
    tokens r, w, k, v, a, b;
    int count;
};

static void read_chunk(struct chunk *chunk, const struct inputs *in, size_t at, int count) {
    chunk->count = count;
    get_tokens(chunk->r, in->r, at, in->stride, count, in->kind);
    get_tokens(chunk->k, in->k, at, in->stride, count, in->kind);
    get_tokens(chunk->v, in->v, at, in->stride, count, in->kind);
    get_tokens(chunk->a, in->a, at, in->stride, count, in->kind);
    get_tokens(chunk->b, in->b, at, in->stride, count, in->kind);
    get_tokens(chunk->w, in->log_w, at, in->stride, count, in->kind);
    for (int t = 0; t < count; t++)
        for (int i = 0; i < N; i += LANES) store(&chunk->w[t][i], power_of_e(load(&chunk->w[t][i])));
}

/* s: (key, value). */
static void forward_token(const struct chunk *chunk, int t, state s, float *removed, float *y) {
    vec taken[VECTORS] = {0}, value[VECTORS], read[VECTORS] = {0};
    for (int key = 0; key < N; key++)
        UNROLLED
        for (int part = 0; part < VECTORS; part++) taken[part] += load(&s[key][part * LANES]) * chunk->a[t][key];
    memcpy(value, chunk->v[t], sizeof value);
    for (int key = 0; key < N; key++) {
        float w = chunk->w[t][key], b = chunk->b[t][key], k = chunk->k[t][key], r = chunk->r[t][key];
        UNROLLED
        for (int part = 0; part < VECTORS; part++) {
            vec here = load(&s[key][part * LANES]) * w + taken[part] * b + value[part] * k;
            read[part] += here * r;
            store(&s[key][part * LANES], here);
        }
    }
    memcpy(removed, taken, sizeof taken);
    memcpy(y, read, sizeof read);
}

/* removed: s_t, (B, T, H, N), and saved: (B, H, ⌈T / SPAN⌉, N, N), for the backward pass; saved may be NULL. */
void wkv7_forward(int threads, int batch, int length, int heads, int kind, const void *r, const void *log_w,
                  const void *k, const void *v, const void *a, const void *b, const float *before, float *y,
                  float *after, float *removed, float *saved) {
    struct inputs in = {kind, (size_t)heads * N, r, log_w, k, v, a, b};
    int spans = (length + SPAN - 1) / SPAN;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < batch * heads; pair++) {
        unsigned long long control = flush_denormals();
        struct chunk chunk;
        tokens read, taken;
        state s;
        memcpy(s, before + (size_t)pair * N * N, sizeof s);
        for (int t = 0; t < length; t += CHUNK) {
            size_t at = (((size_t)(pair / heads) * length + t) * heads + pair % heads) * N;
            if (saved && t % SPAN == 0) memcpy(saved + ((size_t)pair * spans + t / SPAN) * N * N, s, sizeof s);
            read_chunk(&chunk, &in, at, length - t < CHUNK ? length - t : CHUNK);
            for (int c = 0; c < chunk.count; c++) forward_token(&chunk, c, s, taken[c], read[c]);
            put_tokens(y, read, at, in.stride, chunk.count, FLOAT32);
            put_tokens(removed, taken, at, in.stride, chunk.count, FLOAT32);
        }
        memcpy(after + (size_t)pair * N * N, s, sizeof s);
        restore_denormals(control);
    }
}

/* What the backward pass adds to a chunk. */
struct back {
    struct chunk in;
    tokens removed, dy;
};

/* next ← the state after token t from that before it, both (value, key). */
static void advance(const struct back *of, int t, state s, state next) {
    for (int value = 0; value < N; value++)
        UNROLLED
        for (int i = 0; i < N; i += LANES)
            store(&next[value][i], load(&of->in.w[t][i]) * load(&s[value][i])
                                       + load(&of->in.b[t][i]) * of->removed[t][value]
                                       + load(&of->in.k[t][i]) * of->in.v[t][value]);
}

/* Back through token t: g, the gradient of the state after it, becomes that of the state before it. s and after are
 * those two states; all three are (value, key). `to` is given the token's gradients, that of w in the decay's place. */
static void backward_token(const struct back *of, int t, state s, state after, state g, struct chunk *to) {
    const struct chunk *in = &of->in;
    float dremoved[N] __attribute__((aligned(64)));
    for (int first = 0; first < N; first += LANES) {
        vec values[LANES], taken[LANES];
        for (int row = 0; row < LANES; row++) {
            vec along_k = {0}, along_b = {0};
            float *here = g[first + row], dy = of->dy[t][first + row];
            UNROLLED
            for (int i = 0; i < N; i += LANES) {
                vec gradient = load(here + i) + load(&in->r[t][i]) * dy;
                store(here + i, gradient);
                along_k += gradient * load(&in->k[t][i]);
                along_b += gradient * load(&in->b[t][i]);
            }
            values[row] = along_k;
            taken[row] = along_b;
        }
        store(&to->v[t][first], sums(values));
        store(dremoved + first, sums(taken));
    }
    for (int i = 0; i < N; i += LANES) {
        vec dr = {0}, dw = {0}, dk = {0}, da = {0}, db = {0}, w = load(&in->w[t][i]), a = load(&in->a[t][i]);
        for (int value = 0; value < N; value++) {
            vec gradient = load(&g[value][i]), past = load(&s[value][i]);
            dr += load(&after[value][i]) * of->dy[t][value];
            dw += gradient * past;
            dk += gradient * in->v[t][value];
            db += gradient * of->removed[t][value];
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

void wkv7_backward(int threads, int batch, int length, int heads, int kind, const void *r, const void *log_w,
                   const void *k, const void *v, const void *a, const void *b, const float *removed,
                   const float *saved, const float *dy, const float *dafter, void *dr, void *dlog_w, void *dk,
                   void *dv, void *da, void *db, float *dbefore) {
    struct inputs in = {kind, (size_t)heads * N, r, log_w, k, v, a, b};
    int spans = (length + SPAN - 1) / SPAN;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < batch * heads; pair++) {
        unsigned long long control = flush_denormals();
        struct back chunks[CHUNKS];
        struct chunk to;
        state starts[CHUNKS], past[CHUNK + 1], g;
        transpose(dafter + (size_t)pair * N * N, g[0]);
        for (int span = spans - 1; span >= 0; span--) {
            int start = span * SPAN, count = length - start < SPAN ? length - start : SPAN;
            size_t at = (((size_t)(pair / heads) * length + start) * heads + pair % heads) * N;
            int last = (count - 1) / CHUNK;
            transpose(saved + ((size_t)pair * spans + span) * N * N, starts[0][0]);
            for (int c = 0; c <= last; c++) {
                size_t here = at + c * CHUNK * in.stride;
                read_chunk(&chunks[c].in, &in, here, count - c * CHUNK < CHUNK ? count - c * CHUNK : CHUNK);
                get_tokens(chunks[c].removed, removed, here, in.stride, chunks[c].in.count, FLOAT32);
                get_tokens(chunks[c].dy, dy, here, in.stride, chunks[c].in.count, FLOAT32);
                if (c == last) break;
                memcpy(starts[c + 1], starts[c], sizeof starts[c]);
                for (int t = 0; t < CHUNK; t++) advance(&chunks[c], t, starts[c + 1], starts[c + 1]);
            }
            for (int c = last; c >= 0; c--) {
                size_t here = at + c * CHUNK * in.stride;
                int tokens_here = chunks[c].in.count;
                memcpy(past[0], starts[c], sizeof past[0]);
                for (int t = 0; t < tokens_here; t++) advance(&chunks[c], t, past[t], past[t + 1]);
                for (int t = tokens_here - 1; t >= 0; t--)
                    backward_token(&chunks[c], t, past[t], past[t + 1], g, &to);
                put_tokens(dr, to.r, here, in.stride, tokens_here, kind);
                put_tokens(dlog_w, to.w, here, in.stride, tokens_here, kind);
                put_tokens(dk, to.k, here, in.stride, tokens_here, kind);
                put_tokens(dv, to.v, here, in.stride, tokens_here, kind);
                put_tokens(da, to.a, here, in.stride, tokens_here, kind);
                put_tokens(db, to.b, here, in.stride, tokens_here, kind);
            }
        }
        transpose(g[0], dbefore + (size_t)pair * N * N);
        restore_denormals(control);
    }
}
