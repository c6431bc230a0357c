/* The gradients of the tokens of one chunk, from the state before it and the gradient of the state after it:
 *
 *     dr_t = S_t dy_t + u k_t (v_t·dy_t)        dv_t = k_t G_t+1 + dy_t (r_t·u k_t)
 *     dk_t = G_t+1 v_t + u r_t (v_t·dy_t)       dlog w_t = w_t ∘ Σ_columns G_t+1 ∘ S_t       du = Σ_t r_t k_t (v_t·dy_t)
 *
 * with S_t before token t, G_t+1 = dL/dS_t+1. A channel may decay to 0, so S cannot be recovered by dividing by w.
 * It is recomputed: first over the whole chunk, with a copy in shared memory every COPY tokens, then in steps from the last
 * one backward, with the states of a step in registers. All chunks of all heads run in parallel.
 *
 * A block computes one chunk of one head. A thread holds 4 keys × 4 columns, so 16 lanes share the columns of a key. */
#pragma once

#include "scan.cuh"

constexpr int STEP = 4; /* tokens whose states are in registers together */
constexpr int COPY = 8; /* tokens between two copies in shared memory; two blocks fit on an H100 */
constexpr int CHUNK_THREADS = 256;
constexpr int WARPS = CHUNK_THREADS / 32;
static_assert(CHUNK_THREADS == CHUNK * HEAD / 8 && CHUNK_THREADS * 16 == HEAD * HEAD,
              "all threads stage tokens and hold a part of the state");

template <typename T> struct Gradients {
    const T *r, *k, *v, *dy; /* (B, T, H, N) */
    const float *log_w, *u;  /* (B, T, H, N), (H, N) */
    const float *saved;           /* (B, H, chunks, N, N): the state before each chunk */
    const float *state_gradients; /* (B, H, chunks, N, N): the gradient of the state after each chunk */
    T *dr, *dk, *dv;
    float *dlog_w;
    float *du; /* (B, chunks, H, N): the sum over each chunk */
    int length, heads;
};

struct ChunkShared {
    float r[CHUNK][HEAD], k[CHUNK][HEAD], v[CHUNK][HEAD], w[CHUNK][HEAD], dy[CHUNK][HEAD];
    float bonus[CHUNK], v_dot_dy[CHUNK];               /* r·u k and v·dy */
    float copies[CHUNK / COPY - 1][16][CHUNK_THREADS]; /* copies of the state by thread; `saved` serves as the first */
    float dv[WARPS][STEP][HEAD];
};

template <typename T> __global__ __launch_bounds__(CHUNK_THREADS, 2) void chunk_gradients(Gradients<T> args) {
    auto &shared = shared_memory<ChunkShared>();
    const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
    const int chunks = static_cast<int>(gridDim.x), chunk = static_cast<int>(blockIdx.x), start = chunk * CHUNK;
    const int64_t head = blockIdx.y, stride = int64_t{args.heads} * HEAD; /* head: b · H + h */
    const int64_t rows = (head / args.heads * args.length + start) * stride + head % args.heads * HEAD;
    const int count = args.length - start < CHUNK ? args.length - start : CHUNK;
    const float *u = args.u + head % args.heads * HEAD;

    { /* stage the tokens in shared memory */
        const int token = thread / 8, channel = thread % 8 * 8;
        const int64_t row = rows + token * stride + channel;
        Octet<T> r{}, k{}, v{}, dy{}; /* past the end: a token without effect */
        Octet<float> log_w{};
        if (token < count) {
            r.load(args.r + row), k.load(args.k + row), v.load(args.v + row), dy.load(args.dy + row);
            log_w.load(args.log_w + row);
        }
        float x[8], z[8], bonus = 0, v_dot_dy = 0;
        log_w.unpack(x);
#pragma unroll
        for (int i = 0; i < 8; i++) x[i] = expf(x[i]);
        store8(&shared.w[token][channel], x);
        r.unpack(x), k.unpack(z);
        store8(&shared.r[token][channel], x), store8(&shared.k[token][channel], z);
#pragma unroll
        for (int i = 0; i < 8; i++) bonus += x[i] * u[channel + i] * z[i];
        v.unpack(x), dy.unpack(z);
        store8(&shared.v[token][channel], x), store8(&shared.dy[token][channel], z);
#pragma unroll
        for (int i = 0; i < 8; i++) v_dot_dy += x[i] * z[i];
        bonus = reduce<8>(bonus), v_dot_dy = reduce<8>(v_dot_dy);
        if (channel == 0) shared.bonus[token] = bonus, shared.v_dot_dy[token] = v_dot_dy;
    }

    const int key = thread / 16 * 4, column = thread % 16 * 4;
    const int64_t offset = ((head * chunks + chunk) * HEAD + key) * HEAD + column;
    float state[4][4], gradient[4][4]; /* S_t and G_t+1 */
#pragma unroll
    for (int a = 0; a < 4; a++) {
        fetch(state[a], args.saved + offset + a * HEAD);
        fetch(gradient[a], args.state_gradients + offset + a * HEAD);
    }
    __syncthreads();

    if (thread < HEAD) {
        float du = 0;
        for (int t = 0; t < CHUNK; t++) du += shared.r[t][thread] * shared.k[t][thread] * shared.v_dot_dy[t];
        args.du[((head / args.heads * chunks + chunk) * args.heads + head % args.heads) * HEAD + thread] = du;
    }

    const auto advance = [&](int t) {
        float k[4], w[4], v[4];
        fetch(k, &shared.k[t][key]), fetch(w, &shared.w[t][key]), fetch(v, &shared.v[t][column]);
#pragma unroll
        for (int a = 0; a < 4; a++)
#pragma unroll
            for (int b = 0; b < 4; b++) state[a][b] = w[a] * state[a][b] + k[a] * v[b];
    };

    for (int copy = 1; copy * COPY < count; copy++) {
#pragma unroll
        for (int i = 0; i < COPY; i++) advance((copy - 1) * COPY + i);
#pragma unroll
        for (int i = 0; i < 16; i++) shared.copies[copy - 1][i][thread] = state[i / 4][i % 4];
    }

    for (int step = (count - 1) / STEP; step >= 0; step--) {
        if (const int copy = step * STEP / COPY; copy > 0) {
#pragma unroll
            for (int i = 0; i < 16; i++) state[i / 4][i % 4] = shared.copies[copy - 1][i][thread];
        } else {
#pragma unroll
            for (int a = 0; a < 4; a++) fetch(state[a], args.saved + offset + a * HEAD);
        }
        for (int t = step * STEP / COPY * COPY; t < step * STEP; t++) advance(t);

        float states[STEP][4][4], dr[STEP], dk[STEP], dw[STEP];
#pragma unroll
        for (int i = 0; i < STEP; i++) {
            const int t = step * STEP + i;
            float dy[4], sums[4] = {};
            fetch(dy, &shared.dy[t][column]);
#pragma unroll
            for (int a = 0; a < 4; a++)
#pragma unroll
                for (int b = 0; b < 4; b++) {
                    states[i][a][b] = state[a][b];
                    sums[a] += state[a][b] * dy[b];
                }
            reduce_scatter<4, 4>(sums, lane);
            dr[i] = sums[0];
            if (i < STEP - 1) advance(t);
        }
#pragma unroll
        for (int i = STEP - 1; i >= 0; i--) {
            const int t = step * STEP + i;
            float r[4], k[4], w[4], v[4], dy[4], key_sums[4] = {}, decay_sums[4] = {}, column_sums[4] = {};
            fetch(r, &shared.r[t][key]), fetch(k, &shared.k[t][key]), fetch(w, &shared.w[t][key]);
            fetch(v, &shared.v[t][column]), fetch(dy, &shared.dy[t][column]);
#pragma unroll
            for (int a = 0; a < 4; a++)
#pragma unroll
                for (int b = 0; b < 4; b++) {
                    key_sums[a] += gradient[a][b] * v[b];
                    decay_sums[a] += gradient[a][b] * states[i][a][b];
                    column_sums[b] += k[a] * gradient[a][b];
                    gradient[a][b] = w[a] * gradient[a][b] + r[a] * dy[b];
                }
            reduce_scatter<4, 4>(key_sums, lane), reduce_scatter<4, 4>(decay_sums, lane);
            dk[i] = key_sums[0], dw[i] = decay_sums[0];
            /* The keys of a column are in all warps. Each warp stores its sum; one thread per column adds them. */
            reduce_scatter<4, 32, 16>(column_sums, lane);
            *reinterpret_cast<float2 *>(&shared.dv[warp][i][column + (lane & 16 ? 2 : 0)]) =
                make_float2(column_sums[0], column_sums[1]);
        }
        __syncthreads();

        /* A lane holds the sums over four lanes of one key, for each token. Reduce them to one token per lane. */
        reduce_scatter<STEP, 16, 4>(dr, lane), reduce_scatter<STEP, 16, 4>(dk, lane), reduce_scatter<STEP, 16, 4>(dw, lane);
        {
            const int i = key + first_sum<4, 4>(lane), at = first_sum<STEP, 4>(lane / 4), t = step * STEP + at;
            if (t < count) {
                const int64_t row = rows + t * stride + i;
                put(args.dr + row, dr[0] + u[i] * shared.k[t][i] * shared.v_dot_dy[t]);
                put(args.dk + row, dk[0] + u[i] * shared.r[t][i] * shared.v_dot_dy[t]);
                args.dlog_w[row] = dw[0] * shared.w[t][i];
            }
        }

        for (int index = thread; index < STEP * HEAD; index += CHUNK_THREADS) {
            const int at = index / HEAD, i = index % HEAD, t = step * STEP + at;
            float sum = shared.bonus[t] * shared.dy[t][i];
#pragma unroll
            for (int source = 0; source < WARPS; source++) sum += shared.dv[source][at][i];
            if (t < count) put(args.dv + rows + t * stride + i, sum);
        }
        __syncthreads();
    }
}
