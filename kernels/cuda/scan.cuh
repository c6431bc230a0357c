/* The recurrence of WKV-6 over the tokens of one head, in registers: forward for the state, backward for its gradient.
 *
 * Forward S ← diag(w_t) S + k_tᵀ v_t and y_t = r_t (S + diag(u) k_tᵀ v_t). Backward, the gradient of the state follows
 * the same recurrence, G ← diag(w_t) G + r_tᵀ dy_t, so one kernel serves both.
 *
 * The columns of a state are independent, so the warps of a block divide the value axis; the lanes of a warp divide the
 * keys, and a thread holds KEYS × 4 elements of the state. Fewer keys per thread give more blocks per head, for small
 * batches. Tokens are staged TILE at a time, while the loads of the next tile are in flight. */
#pragma once

#include "octet.cuh"
#include "reduce.cuh"

constexpr int HEAD = 64;          /* channels of a head */
constexpr int CHUNK = 32;         /* tokens between two saved states */
constexpr int TILE = 16;          /* tokens staged at a time, a divisor of CHUNK */
constexpr int SCAN_THREADS = 128; /* (token, octet) pairs of a tile */
static_assert(SCAN_THREADS == TILE * HEAD / 8 && CHUNK % TILE == 0, "a thread stages one octet of one token");

/* Token-wise arrays are (B, T, H, N), states (B, H, N, N), key axis first. */
template <typename T> struct Scan {
    const T *keys, *values; /* k and v; backward: r and dy */
    const float *log_w;
    const float *before; /* the state before the first token of the scan */
    float *after;        /* the state after its last token */
    float *saved;        /* (B, H, chunks, N, N): the state before each chunk, in scan order; may be null */
    const T *r;          /* r, u (H, N) and y: forward only */
    const float *u;
    T *y;
    int length, heads;
};

template <int KEYS> struct ScanShared {
    float keys[TILE][HEAD], w[TILE][HEAD], r[TILE][HEAD], values[TILE][8 * KEYS], bonus[TILE];
};

template <typename T, int KEYS, bool BACKWARDS> __global__ __launch_bounds__(SCAN_THREADS) void scan(Scan<T> args) {
    constexpr int LANES = HEAD / KEYS;    /* lanes that share a column */
    constexpr int COLUMNS = 8 * KEYS;     /* columns of the value axis per block */
    constexpr int SUMS = 16;              /* sums for y that are reduced together: 4 tokens × 4 columns */
    constexpr int SUMS_PER_LANE = SUMS > LANES ? SUMS / LANES : 1;
    auto &shared = shared_memory<ScanShared<KEYS>>();
    const int thread = static_cast<int>(threadIdx.x), lane = thread % 32;
    const int key = lane % LANES * KEYS, column = thread / LANES * 4, first_column = static_cast<int>(blockIdx.y) * COLUMNS;
    const int64_t head = blockIdx.x, stride = int64_t{args.heads} * HEAD; /* head: b · H + h */
    const int64_t rows = head / args.heads * args.length * stride + head % args.heads * HEAD;

    float state[KEYS][4];
    const int64_t offset = (head * HEAD + key) * HEAD + first_column + column;
#pragma unroll
    for (int i = 0; i < KEYS; i++) fetch(state[i], args.before + offset + i * HEAD);

    const int tiles = (args.length + TILE - 1) / TILE, chunks = (args.length + CHUNK - 1) / CHUNK;
    const int token = thread / 8, channel = thread % 8 * 8; /* position that this thread stages */
    const bool has_values = channel < COLUMNS;
    float u[8] = {};
    if constexpr (!BACKWARDS) fetch(u, args.u + head % args.heads * HEAD + channel);

    Octet<T> keys{}, values{}, r{};
    Octet<float> log_w{};
    const auto load = [&](int tile) {
        const int at = tile * TILE + token;
        keys = values = r = {}; /* past the end: a token without effect */
        log_w = {};
        if (at >= args.length) return;
        const int64_t row = rows + at * stride;
        keys.load(args.keys + row + channel);
        log_w.load(args.log_w + row + channel);
        if (has_values) values.load(args.values + row + first_column + channel);
        if constexpr (!BACKWARDS) r.load(args.r + row + channel);
    };
    if (tiles) load(BACKWARDS ? tiles - 1 : 0);

    for (int iteration = 0; iteration < tiles; iteration++) {
        const int tile = BACKWARDS ? tiles - 1 - iteration : iteration;
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
        if (iteration + 1 < tiles) load(BACKWARDS ? tile - 1 : tile + 1);
        __syncthreads();

        constexpr int TILES_PER_CHUNK = CHUNK / TILE;
        const int tile_in_chunk = tile % TILES_PER_CHUNK;
        if (args.saved && (BACKWARDS ? tile_in_chunk == TILES_PER_CHUNK - 1 || iteration == 0 : tile_in_chunk == 0)) {
            const int64_t chunk = head * chunks + tile / TILES_PER_CHUNK;
            float *saved = args.saved + (chunk * HEAD + key) * HEAD + first_column + column;
#pragma unroll
            for (int i = 0; i < KEYS; i++) store4(saved + i * HEAD, state[i]);
        }

        for (int done = 0; done < TILE; done += 4) {
            float sums[SUMS] = {};
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int t = BACKWARDS ? TILE - 1 - done - i : done + i;
                float k[KEYS], w[KEYS], receptance[KEYS], v[4];
                fetch(k, &shared.keys[t][key]);
                fetch(w, &shared.w[t][key]);
                fetch(v, &shared.values[t][column]);
                if constexpr (!BACKWARDS) fetch(receptance, &shared.r[t][key]);
#pragma unroll
                for (int a = 0; a < KEYS; a++) {
#pragma unroll
                    for (int b = 0; b < 4; b++) {
                        if constexpr (!BACKWARDS) sums[4 * i + b] += receptance[a] * state[a][b];
                        state[a][b] = w[a] * state[a][b] + k[a] * v[b];
                    }
                }
            }
            if constexpr (!BACKWARDS) {
                reduce_scatter<SUMS, LANES>(sums, lane);
#pragma unroll
                for (int i = 0; i < SUMS_PER_LANE; i++) {
                    const int index = first_sum<SUMS, LANES>(lane) + i, t = done + index / 4;
                    const int value_column = column + index % 4;
                    if (tile * TILE + t < args.length && lane % LANES < SUMS)
                        put(args.y + rows + (tile * TILE + t) * stride + first_column + value_column,
                            sums[i] + shared.bonus[t] * shared.values[t][value_column]);
                }
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < KEYS; i++) store4(args.after + offset + i * HEAD, state[i]);
}
