/* The WKV operator of RWKV-6, forward and backward, as a scan over the tokens of each head.
 *
 *     y_t = r_t (S_t + diag(u) k_tᵀ v_t)      S_{t+1} = diag(w_t) S_t + k_tᵀ v_t      w_t = exp(-exp(base + decay_t))
 *
 * Source: Peng et al., "Eagle and Finch", arXiv 2404.05892, equations 18 and 19.
 *
 * There is no division by a decay, so any decay is exact. A state takes 16 kB and is read once per chunk of tokens,
 * with a few rows at a time in registers. The forward pass saves a state every SPAN tokens; the backward pass
 * recomputes the states in between, which is faster than loading them from memory. Heads are independent and each has a
 * fixed order of additions, so results do not depend on the number of threads. */
#include <math.h>

#include "head.h"

struct inputs {
    int batch, length, heads;
    enum dtype dtype; /* of r, k, v, decay and their gradients */
    const void *r, *k, *v, *decay;
    const float *base, *bonus; /* (H, N) */
};

/* One chunk of one head. */
struct chunk {
    int count;
    tokens r, k, v, w, log_w;
};

static void read_chunk(struct chunk *chunk, const struct inputs *in, int head, size_t at, int count) {
    size_t stride = (size_t)in->heads * N;
    chunk->count = count;
    get_tokens(chunk->r, in->r, at, stride, count, in->dtype);
    get_tokens(chunk->k, in->k, at, stride, count, in->dtype);
    get_tokens(chunk->v, in->v, at, stride, count, in->dtype);
    for (int t = 0; t < count; t++)
        for (int i = 0; i < N; i += LANES) {
            vec log_w = -safe_exp(load(in->base + head * N + i) + get(in->decay, at + t * stride + i, in->dtype));
            store(&chunk->log_w[t][i], log_w);
            store(&chunk->w[t][i], safe_exp(log_w));
        }
}

/* diag(w_t) S + k_tᵀ v_t, for one vector of one row of S. */
#define NEXT_STATE(s, chunk, t, i, value) \
    (load(&(chunk)->w[t][i]) * (s) + load(&(chunk)->k[t][i]) * (chunk)->v[t][value])

static void advance(const struct chunk *chunk, state s) {
    for (int row = 0; row < N; row += ROWS) {
        vec rows[ROWS][VECTORS];
        memcpy(rows, s[row], sizeof rows);
        for (int t = 0; t < chunk->count; t++)
            UNROLLED
            for (int part = 0; part < VECTORS; part++)
                for (int j = 0; j < ROWS; j++)
                    rows[j][part] = NEXT_STATE(rows[j][part], chunk, t, part * LANES, row + j);
        memcpy(s[row], rows, sizeof rows);
    }
}

/* Σ r u k: the factor of v in the contribution of the current token. */
INLINE float bonus_factor(const struct chunk *chunk, int t, const float *bonus) {
    vec share = {0};
    for (int i = 0; i < N; i += LANES) share += load(&chunk->r[t][i]) * load(bonus + i) * load(&chunk->k[t][i]);
    return sum(share);
}

static void forward_chunk(const struct chunk *chunk, const float *bonus, state s, tokens y) {
    vec partial[CHUNK][LANES];
    for (int first = 0; first < N; first += LANES) {
        for (int row = first; row < first + LANES; row += ROWS) {
            vec rows[ROWS][VECTORS];
            memcpy(rows, s[row], sizeof rows);
            for (int t = 0; t < chunk->count; t++) {
                vec read[ROWS] = {0};
                UNROLLED
                for (int part = 0; part < VECTORS; part++)
                    for (int j = 0; j < ROWS; j++) {
                        read[j] += load(&chunk->r[t][part * LANES]) * rows[j][part];
                        rows[j][part] = NEXT_STATE(rows[j][part], chunk, t, part * LANES, row + j);
                    }
                for (int j = 0; j < ROWS; j++) partial[t][row - first + j] = read[j];
            }
            memcpy(s[row], rows, sizeof rows);
        }
        for (int t = 0; t < chunk->count; t++) store(&y[t][first], sums(partial[t]));
    }
    for (int t = 0; t < chunk->count; t++) {
        vec share = splat(bonus_factor(chunk, t, bonus));
        for (int i = 0; i < N; i += LANES) store(&y[t][i], load(&y[t][i]) + share * load(&chunk->v[t][i]));
    }
}

/* saved: states for the backward pass, (B, H, ⌈T / SPAN⌉, N, N), or NULL. */
void wkv6_forward(int threads, int batch, int length, int heads, int dtype, const void *r, const void *k, const void *v,
                  const void *decay, const float *base, const float *bonus, const float *before, float *y, float *after,
                  float *saved) {
    struct inputs in = {batch, length, heads, dtype, r, k, v, decay, base, bonus};
    int spans = (length + SPAN - 1) / SPAN;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < batch * heads; pair++) {
        unsigned long long control = flush_denormals();
        int head = pair % heads;
        struct chunk chunk;
        tokens outputs;
        state s;
        transpose(before + (size_t)pair * N * N, s[0]);
        for (int t = 0; t < length; t += CHUNK) {
            size_t at = (((size_t)(pair / heads) * length + t) * heads + head) * N;
            if (saved && t % SPAN == 0) memcpy(saved + ((size_t)pair * spans + t / SPAN) * N * N, s, sizeof s);
            read_chunk(&chunk, &in, head, at, length - t < CHUNK ? length - t : CHUNK);
            forward_chunk(&chunk, bonus + head * N, s, outputs);
            put_tokens(y, outputs, at, (size_t)heads * N, chunk.count, FLOAT32);
        }
        transpose(s[0], after + (size_t)pair * N * N);
        restore_denormals(control);
    }
}

/* Gradients of the tokens of a chunk, and the sums over all tokens of the head. */
struct gradients {
    tokens r, k, v, w;
    float base[N], bonus[N];
};

/* Propagate g, the gradient of the state after a chunk, to that of the state before it. s is the state before it. */
static void backward_chunk(const struct chunk *chunk, tokens dy, state s, state g, struct gradients *to) {
    vec partial[CHUNK][LANES], states[CHUNK][ROWS][VECTORS];
    memset(to->r, 0, sizeof to->r);
    memset(to->k, 0, sizeof to->k);
    memset(to->w, 0, sizeof to->w);
    for (int first = 0; first < N; first += LANES) {
        for (int row = first; row < first + LANES; row += ROWS) {
            memcpy(states[0], s[row], sizeof states[0]);
            for (int t = 1; t < chunk->count; t++)
                UNROLLED
                for (int part = 0; part < VECTORS; part++)
                    for (int j = 0; j < ROWS; j++)
                        states[t][j][part] = NEXT_STATE(states[t - 1][j][part], chunk, t - 1, part * LANES, row + j);
            vec rows[ROWS][VECTORS];
            memcpy(rows, g[row], sizeof rows);
            for (int t = chunk->count - 1; t >= 0; t--) {
                vec read[ROWS] = {0};
                UNROLLED
                for (int part = 0; part < VECTORS; part++) {
                    int i = part * LANES;
                    vec dr = load(&to->r[t][i]), dk = load(&to->k[t][i]), dw = load(&to->w[t][i]);
                    for (int j = 0; j < ROWS; j++) {
                        vec gradient = rows[j][part];
                        dr += states[t][j][part] * dy[t][row + j];
                        dk += gradient * chunk->v[t][row + j];
                        dw += gradient * states[t][j][part];
                        read[j] += gradient * load(&chunk->k[t][i]);
                        rows[j][part] = load(&chunk->w[t][i]) * gradient + load(&chunk->r[t][i]) * dy[t][row + j];
                    }
                    store(&to->r[t][i], dr);
                    store(&to->k[t][i], dk);
                    store(&to->w[t][i], dw);
                }
                for (int j = 0; j < ROWS; j++) partial[t][row - first + j] = read[j];
            }
            memcpy(g[row], rows, sizeof rows);
        }
        for (int t = 0; t < chunk->count; t++) store(&to->v[t][first], sums(partial[t]));
    }
}

/* Add the gradients of the bonus, and turn the gradient of the decay w into that of its exponent. */
static void backward_tokens(const struct chunk *chunk, tokens dy, const float *bonus, struct gradients *to) {
    for (int t = 0; t < chunk->count; t++) {
        vec products = {0};
        for (int i = 0; i < N; i += LANES) products += load(&chunk->v[t][i]) * load(&dy[t][i]);
        vec v_dot_dy = splat(sum(products)), share = splat(bonus_factor(chunk, t, bonus));
        for (int i = 0; i < N; i += LANES) {
            vec r = load(&chunk->r[t][i]), k = load(&chunk->k[t][i]), u = load(bonus + i);
            store(&to->r[t][i], load(&to->r[t][i]) + v_dot_dy * u * k);
            store(&to->k[t][i], load(&to->k[t][i]) + v_dot_dy * u * r);
            store(&to->v[t][i], load(&to->v[t][i]) + share * load(&dy[t][i]));
            store(to->bonus + i, load(to->bonus + i) + v_dot_dy * r * k);
            vec exponent = load(&to->w[t][i]) * load(&chunk->w[t][i]) * load(&chunk->log_w[t][i]);
            store(&to->w[t][i], exponent);
            store(to->base + i, load(to->base + i) + exponent);
        }
    }
}

/* dbase and dbonus: (B, H, N); the caller adds them up over B. */
void wkv6_backward(int threads, int batch, int length, int heads, int dtype, const void *r, const void *k, const void *v,
                   const void *decay, const float *base, const float *bonus, const float *saved, const float *dy,
                   const float *dafter, void *dr, void *dk, void *dv, void *ddecay, float *dbase, float *dbonus,
                   float *dbefore) {
    struct inputs in = {batch, length, heads, dtype, r, k, v, decay, base, bonus};
    int spans = (length + SPAN - 1) / SPAN;
    size_t stride = (size_t)heads * N;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < batch * heads; pair++) {
        unsigned long long control = flush_denormals();
        int head = pair % heads;
        struct chunk chunks[CHUNKS];
        struct gradients to;
        state s[CHUNKS], g;
        tokens dy_tokens;
        memset(to.base, 0, sizeof to.base);
        memset(to.bonus, 0, sizeof to.bonus);
        transpose(dafter + (size_t)pair * N * N, g[0]);
        for (int span = spans - 1; span >= 0; span--) {
            int start = span * SPAN, count = length - start < SPAN ? length - start : SPAN;
            size_t at = (((size_t)(pair / heads) * length + start) * heads + head) * N;
            int last = (count - 1) / CHUNK;
            memcpy(s[0], saved + ((size_t)pair * spans + span) * N * N, sizeof s[0]);
            for (int c = 0; c <= last; c++) {
                int left = count - c * CHUNK;
                read_chunk(&chunks[c], &in, head, at + c * CHUNK * stride, left < CHUNK ? left : CHUNK);
                if (c == last) break;
                memcpy(s[c + 1], s[c], sizeof s[c]);
                advance(&chunks[c], s[c + 1]);
            }
            for (int c = last; c >= 0; c--) {
                size_t offset = at + c * CHUNK * stride;
                int token_count = chunks[c].count;
                get_tokens(dy_tokens, dy, offset, stride, token_count, FLOAT32);
                backward_chunk(&chunks[c], dy_tokens, s[c], g, &to);
                backward_tokens(&chunks[c], dy_tokens, bonus + head * N, &to);
                put_tokens(dr, to.r, offset, stride, token_count, dtype);
                put_tokens(dk, to.k, offset, stride, token_count, dtype);
                put_tokens(dv, to.v, offset, stride, token_count, dtype);
                put_tokens(ddecay, to.w, offset, stride, token_count, dtype);
            }
        }
        transpose(g[0], dbefore + (size_t)pair * N * N);
        memcpy(dbase + (size_t)pair * N, to.base, sizeof to.base);
        memcpy(dbonus + (size_t)pair * N, to.bonus, sizeof to.bonus);
        restore_denormals(control);
    }
}
