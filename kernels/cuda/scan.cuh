/* WKV-6's recurrence along the tokens of one head, in registers: the state forwards, its gradient backwards.
 *
 * Forwards S ← diag(w_t) S + k_tᵀ v_t and y_t = r_t (S + diag(u) k_tᵀ v_t); backwards the state's gradient obeys the
 * same law, G ← diag(w_t) G + r_tᵀ dy_t, so one kernel does both.
 *
 * The columns of a state never meet, so the warps of a block share out the value axis; in a warp the lanes share out
 * the keys, a thread holds KEYS × 4 of the state. Fewer keys a thread make more blocks a head, for small batches.
 * Tokens are staged TILE at a time; the loads of the next tile are under way while this one is worked on. */
#pragma once

#include "octet.cuh"
#include "reduce.cuh"

constexpr int HEAD = 64;          /* channels of a head */
constexpr int CHUNK = 32;         /* tokens from one saved state to the next */
constexpr int TILE = 16;          /* tokens staged at a time; a divisor of CHUNK */
constexpr int SCAN_THREADS = 128; /* (token, octet) pairs of a tile */
static_assert(SCAN_THREADS == TILE * HEAD / 8 && CHUNK % TILE == 0, "a thread stages one octet of one token");

/* Token-wise arrays are (B, T, H, N), states (B, H, N, N), key axis first. */
template <typename T> struct Scan {
    const T *keys, *values; /* k and v; backwards r and dy */
    const float *log_w;
    const float *before; /* the state before the first token met */
    float *after;        /* and after the last */
    float *saved;        /* (B, H, chunks, N, N): before each chunk, as met; may be null */
    const T *r;          /* forwards alone, like u (H, N) and y */
    const float *u;
    T *y;
    int length, heads;
};

template <int KEYS> struct ScanShared {
    float keys[TILE][HEAD], w[TILE][HEAD], r[TILE][HEAD], values[TILE][8 * KEYS], bonus[TILE];
};

template <typename T, int KEYS, bool BACKWARDS> __global__ __launch_bounds__(SCAN_THREADS) void scan(Scan<T> of) {
    constexpr int LANES = HEAD / KEYS;    /* that share a column */
    constexpr int COLUMNS = 8 * KEYS;     /* of the value axis in a block */
    constexpr int SUMS = 16;              /* of y, added up at once: 4 tokens × 4 columns */
    constexpr int KEPT = SUMS > LANES ? SUMS / LANES : 1;
    auto &shared = shared_memory<ScanShared<KEYS>>();
    const int thread = static_cast<int>(threadIdx.x), lane = thread % 32;
    const int key = lane % LANES * KEYS, column = thread / LANES * 4, first_column = static_cast<int>(blockIdx.y) * COLUMNS;
    const int64_t head = blockIdx.x, stride = int64_t{of.heads} * HEAD; /* head: b · H + h */
    const int64_t rows = head / of.heads * of.length * stride + head % of.heads * HEAD;

    float state[KEYS][4];
    const int64_t place = (head * HEAD + key) * HEAD + first_column + column;
#pragma unroll
    for (int i = 0; i < KEYS; i++) fetch(state[i], of.before + place + i * HEAD);

    const int tiles = (of.length + TILE - 1) / TILE, chunks = (of.length + CHUNK - 1) / CHUNK;
    const int token = thread / 8, channel = thread % 8 * 8; /* of what this thread stages */
    const bool has_values = channel < COLUMNS;
    float u[8] = {};
    if constexpr (!BACKWARDS) fetch(u, of.u + head % of.heads * HEAD + channel);

    Octet<T> keys{}, values{}, r{};
    Octet<float> log_w{};
    const auto load = [&](int tile) {
        const int at = tile * TILE + token;
        keys = values = r = {}; /* past the end: a token that changes nothing */
        log_w = {};
        if (at >= of.length) return;
        const int64_t row = rows + at * stride;
        keys.load(of.keys + row + channel);
        log_w.load(of.log_w + row + channel);
        if (has_values) values.load(of.values + row + first_column + channel);
        if constexpr (!BACKWARDS) r.load(of.r + row + channel);
    };
    if (tiles) load(BACKWARDS ? tiles - 1 : 0);

    for (int turn = 0; turn < tiles; turn++) {
        const int tile = BACKWARDS ? tiles - 1 - turn : turn;
        {
            float x[8], k[8];
            log_w.unpack(x);
#pragma unroll
            for (int i = 0; i < 8; i++) x[i] = expf(x[i]);
            store8(&shared.w[token][channel], x);
            keys.unpack(k);
            store8(&shared.keys[token][channel], k);
            if (has_values) {
                values.unpack(x);
                store8(&shared.values[token][channel], x);
            }
            if constexpr (!BACKWARDS) {
                r.unpack(x);
                store8(&shared.r[token][channel], x);
                float bonus = 0;
#pragma unroll
                for (int i = 0; i < 8; i++) bonus += x[i] * u[i] * k[i];
                bonus = reduce<8>(bonus);
                if (channel == 0) shared.bonus[token] = bonus;
            }
        }
        if (turn + 1 < tiles) load(BACKWARDS ? tile - 1 : tile + 1);
        __syncthreads();

        constexpr int PER = CHUNK / TILE;
        if (of.saved && (BACKWARDS ? tile % PER == PER - 1 || turn == 0 : tile % PER == 0)) {
            float *saved = of.saved + ((head * chunks + tile / PER) * HEAD + key) * HEAD + first_column + column;
#pragma unroll
            for (int i = 0; i < KEYS; i++) store4(saved + i * HEAD, state[i]);
        }

        for (int done = 0; done < TILE; done += 4) {
            float sums[SUMS] = {};
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int t = BACKWARDS ? TILE - 1 - done - i : done + i;
                float k[KEYS], w[KEYS], received[KEYS], v[4];
                fetch(k, &shared.keys[t][key]);
                fetch(w, &shared.w[t][key]);
                fetch(v, &shared.values[t][column]);
                if constexpr (!BACKWARDS) fetch(received, &shared.r[t][key]);
#pragma unroll
                for (int a = 0; a < KEYS; a++) {
#pragma unroll
                    for (int b = 0; b < 4; b++) {
                        if constexpr (!BACKWARDS) sums[4 * i + b] += received[a] * state[a][b];
                        state[a][b] = w[a] * state[a][b] + k[a] * v[b];
                    }
                }
            }
            if constexpr (!BACKWARDS) {
                reduce_scatter<SUMS, LANES>(sums, lane);
#pragma unroll
                for (int i = 0; i < KEPT; i++) {
                    const int index = kept_first<SUMS, LANES>(lane) + i, t = done + index / 4;
                    const int mine = column + index % 4;
                    if (tile * TILE + t < of.length && lane % LANES < SUMS)
                        put(of.y + rows + (tile * TILE + t) * stride + first_column + mine,
                            sums[i] + shared.bonus[t] * shared.values[t][mine]);
                }
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < KEYS; i++) store4(of.after + place + i * HEAD, state[i]);
}
