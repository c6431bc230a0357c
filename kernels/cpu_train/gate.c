/* What stands around the matrix products of both mixes, a pass each way: the heads' norm behind its gate, the squared
 * ReLU, the channel mix's gate. */
#include "head.h"

/* 1 / √(variance + eps) of a head, and its centered values. */
INLINE vec centered(const float *y, float eps, vec value[VECTORS]) {
    vec total = {0}, squares = {0};
    for (int part = 0; part < VECTORS; part++) total += value[part] = load(y + part * LANES);
    vec mean = splat(sum(total) / N);
    for (int part = 0; part < VECTORS; part++) {
        value[part] -= mean;
        squares += value[part] * value[part];
    }
    return splat(1.0f / __builtin_sqrtf(sum(squares) / N + eps));
}

/* out = (norm of y by heads · weight + bias) · silu(gate). y: (tokens, H, N) float32; gate and out of `kind`. */
void gated_norm_forward(int threads, int tokens, int heads, int kind, float eps, const float *y,
                        const void *gate, const float *weight, const float *bias, void *out) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < tokens * heads; pair++) {
        vec value[VECTORS];
        vec factor = centered(y + (size_t)pair * N, eps, value);
        for (int part = 0; part < VECTORS; part++) {
            int i = pair % heads * N + part * LANES;
            size_t place = (size_t)pair * N + part * LANES;
            vec g = get(gate, place, kind);
            put(out, place, kind, (value[part] * factor * load(weight + i) + load(bias + i)) * g * share_of(g));
        }
    }
}

/* dweight, dbias: (BLOCKS, H N), to be added up over BLOCKS: tokens are split alike whatever the threads. */
void gated_norm_backward(int threads, int tokens, int heads, int kind, float eps, const float *y,
                         const void *gate, const float *weight, const float *bias, const void *dout, float *dy,
                         void *dgate, float *dweight, float *dbias, int blocks) {
    memset(dweight, 0, sizeof *dweight * blocks * heads * N);
    memset(dbias, 0, sizeof *dbias * blocks * heads * N);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int block = 0; block < blocks; block++) {
        float *weights = dweight + (size_t)block * heads * N, *biases = dbias + (size_t)block * heads * N;
        int end = (int)((int64_t)tokens * (block + 1) / blocks) * heads;
        for (int pair = (int)((int64_t)tokens * block / blocks) * heads; pair < end; pair++) {
            vec value[VECTORS], back[VECTORS], total = {0}, along = {0};
            vec factor = centered(y + (size_t)pair * N, eps, value);
            for (int part = 0; part < VECTORS; part++) {
                int i = pair % heads * N + part * LANES;
                size_t place = (size_t)pair * N + part * LANES;
                vec g = get(gate, place, kind), d = get(dout, place, kind), s = share_of(g);
                value[part] *= factor;
                vec normed = value[part] * load(weight + i) + load(bias + i);
                put(dgate, place, kind, d * normed * s * (splat(1.0f) + g * (splat(1.0f) - s)));
                d *= g * s;
                store(weights + i, load(weights + i) + d * value[part]);
                store(biases + i, load(biases + i) + d);
                back[part] = d * load(weight + i);
                total += back[part];
                along += back[part] * value[part];
            }
            vec mean = splat(sum(total) / N), slope = splat(sum(along) / N);
            for (int part = 0; part < VECTORS; part++)
                store(dy + (size_t)pair * N + part * LANES, (back[part] - mean - value[part] * slope) * factor);
        }
    }
}

INLINE vec positive(vec x) { return blend(x < splat(0), splat(0), x); }

/* out = max(x, 0)². Sizes are numbers in all, in 16s. */
void squared_relu_forward(int threads, int vectors, int kind, const void *x, void *out) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int place = 0; place < vectors; place++) {
        vec value = positive(get(x, (size_t)place * LANES, kind));
        put(out, (size_t)place * LANES, kind, value * value);
    }
}

void squared_relu_backward(int threads, int vectors, int kind, const void *x, const void *dout, void *dx) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int place = 0; place < vectors; place++) {
        size_t i = (size_t)place * LANES;
        vec value = positive(get(x, i, kind));
        put(dx, i, kind, (value + value) * get(dout, i, kind));
    }
}

/* out = share_of(gate) · value. */
void sigmoid_gate_forward(int threads, int vectors, int kind, const void *gate, const void *value, void *out) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int place = 0; place < vectors; place++) {
        size_t i = (size_t)place * LANES;
        put(out, i, kind, share_of(get(gate, i, kind)) * get(value, i, kind));
    }
}

void sigmoid_gate_backward(int threads, int vectors, int kind, const void *gate, const void *value, const void *dout,
                           void *dgate, void *dvalue) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int place = 0; place < vectors; place++) {
        size_t i = (size_t)place * LANES;
        vec share = share_of(get(gate, i, kind)), d = get(dout, i, kind);
        put(dvalue, i, kind, d * share);
        put(dgate, i, kind, d * get(value, i, kind) * share * (splat(1.0f) - share));
    }
}
