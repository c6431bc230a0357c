/* Element-wise operators around the matrix products of both mixes, one pass per direction: the gated norm of the heads,
 * the squared ReLU, and the gate of the channel mix. */
#include "head.h"

/* Store the centered values of a head. Return 1 / √(variance + eps). */
INLINE vec center(const float *y, float eps, vec value[VECTORS]) {
    vec total = {0}, squares = {0};
    for (int part = 0; part < VECTORS; part++) total += value[part] = load(y + part * LANES);
    vec mean = splat(sum(total) / N);
    for (int part = 0; part < VECTORS; part++) {
        value[part] -= mean;
        squares += value[part] * value[part];
    }
    return splat(1.0f / __builtin_sqrtf(sum(squares) / N + eps));
}

/* out = (norm of each head of y · weight + bias) · silu(gate). y: (tokens, H, N) float32; gate and out are `dtype`. */
void gated_norm_forward(int threads, int tokens, int heads, int dtype, float eps, const float *y,
                        const void *gate, const float *weight, const float *bias, void *out) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int pair = 0; pair < tokens * heads; pair++) {
        vec value[VECTORS];
        vec factor = center(y + (size_t)pair * N, eps, value);
        for (int part = 0; part < VECTORS; part++) {
            int i = pair % heads * N + part * LANES;
            size_t index = (size_t)pair * N + part * LANES;
            vec g = get(gate, index, dtype);
            put(out, index, dtype, (value[part] * factor * load(weight + i) + load(bias + i)) * g * safe_sigmoid(g));
        }
    }
}

/* dweight, dbias: (blocks, H N); the caller adds them up over blocks. The split of tokens into blocks does not depend on
 * the number of threads. */
void gated_norm_backward(int threads, int tokens, int heads, int dtype, float eps, const float *y,
                         const void *gate, const float *weight, const float *bias, const void *dout, float *dy,
                         void *dgate, float *dweight, float *dbias, int blocks) {
    memset(dweight, 0, sizeof *dweight * blocks * heads * N);
    memset(dbias, 0, sizeof *dbias * blocks * heads * N);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int block = 0; block < blocks; block++) {
        float *weights = dweight + (size_t)block * heads * N, *biases = dbias + (size_t)block * heads * N;
        int end = (int)((int64_t)tokens * (block + 1) / blocks) * heads;
        for (int pair = (int)((int64_t)tokens * block / blocks) * heads; pair < end; pair++) {
            vec value[VECTORS], dnormed[VECTORS], total = {0}, products = {0};
            vec factor = center(y + (size_t)pair * N, eps, value);
            for (int part = 0; part < VECTORS; part++) {
                int i = pair % heads * N + part * LANES;
                size_t index = (size_t)pair * N + part * LANES;
                vec g = get(gate, index, dtype), d = get(dout, index, dtype), s = safe_sigmoid(g);
                value[part] *= factor;
                vec normed = value[part] * load(weight + i) + load(bias + i);
                put(dgate, index, dtype, d * normed * s * (splat(1.0f) + g * (splat(1.0f) - s)));
                d *= g * s;
                store(weights + i, load(weights + i) + d * value[part]);
                store(biases + i, load(biases + i) + d);
                dnormed[part] = d * load(weight + i);
                total += dnormed[part];
                products += dnormed[part] * value[part];
            }
            vec mean = splat(sum(total) / N), slope = splat(sum(products) / N);
            for (int part = 0; part < VECTORS; part++)
                store(dy + (size_t)pair * N + part * LANES, (dnormed[part] - mean - value[part] * slope) * factor);
        }
    }
}

INLINE vec positive(vec x) { return blend(x < splat(0), splat(0), x); }

/* out = max(x, 0)². `vectors` is the number of elements / 16. */
void squared_relu_forward(int threads, int vectors, int dtype, const void *x, void *out) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int index = 0; index < vectors; index++) {
        vec value = positive(get(x, (size_t)index * LANES, dtype));
        put(out, (size_t)index * LANES, dtype, value * value);
    }
}

void squared_relu_backward(int threads, int vectors, int dtype, const void *x, const void *dout, void *dx) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int index = 0; index < vectors; index++) {
        size_t i = (size_t)index * LANES;
        vec value = positive(get(x, i, dtype));
        put(dx, i, dtype, (value + value) * get(dout, i, dtype));
    }
}

/* out = sigmoid(gate) · value. */
void sigmoid_gate_forward(int threads, int vectors, int dtype, const void *gate, const void *value, void *out) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int index = 0; index < vectors; index++) {
        size_t i = (size_t)index * LANES;
        put(out, i, dtype, safe_sigmoid(get(gate, i, dtype)) * get(value, i, dtype));
    }
}

void sigmoid_gate_backward(int threads, int vectors, int dtype, const void *gate, const void *value, const void *dout,
                           void *dgate, void *dvalue) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int index = 0; index < vectors; index++) {
        size_t i = (size_t)index * LANES;
        vec share = safe_sigmoid(get(gate, i, dtype)), d = get(dout, i, dtype);
        put(dvalue, i, dtype, d * share);
        put(dgate, i, dtype, d * get(value, i, dtype) * share * (splat(1.0f) - share));
    }
}
