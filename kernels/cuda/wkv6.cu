/* The C interface of WKV-6, forward and backward. All pointers are device pointers; all work is queued on `stream`.
 *
 * The operator and its axes are those of kernels/wkv6_naive.py. Arrays and rows are aligned to 16 bytes. Both functions
 * return a cudaError_t, 0 on success. */
#include "chunk.cuh"

namespace {

template <typename T, bool BACKWARDS> int queue_scan(int batch, int splits, void *stream, const Scan<T> &args) {
    const dim3 blocks(batch * args.heads, splits);
    const auto queue = [&](auto kernel, int shared) { return launch(kernel, blocks, SCAN_THREADS, shared, stream, args); };
    if (splits == 1) return queue(scan<T, 8, BACKWARDS>, sizeof(ScanShared<8>));
    if (splits == 2) return queue(scan<T, 4, BACKWARDS>, sizeof(ScanShared<4>));
    return queue(scan<T, 2, BACKWARDS>, sizeof(ScanShared<2>));
}

template <typename T>
int forward(int batch, int length, int heads, int splits, const void *r, const void *k, const void *v, const float *log_w,
            const float *u, const float *state, void *y, float *after, float *saved, void *stream) {
    Scan<T> args{};
    args.keys = static_cast<const T *>(k), args.values = static_cast<const T *>(v), args.log_w = log_w;
    args.before = state, args.after = after, args.saved = saved;
    args.r = static_cast<const T *>(r), args.u = u, args.y = static_cast<T *>(y);
    args.length = length, args.heads = heads;
    return queue_scan<T, false>(batch, splits, stream, args);
}

template <typename T>
int backward(int batch, int length, int heads, int splits, const void *r, const void *k, const void *v,
             const float *log_w, const float *u, const float *saved, const void *dy, const float *dafter, void *dr,
             void *dk, void *dv, float *dlog_w, float *du, float *dstate, float *state_gradients, void *stream) {
    Scan<T> scan_args{};
    scan_args.keys = static_cast<const T *>(r), scan_args.values = static_cast<const T *>(dy), scan_args.log_w = log_w;
    scan_args.before = dafter, scan_args.after = dstate, scan_args.saved = state_gradients;
    scan_args.length = length, scan_args.heads = heads;
    const int error = queue_scan<T, true>(batch, splits, stream, scan_args);
    if (error || length == 0) return error;

    Gradients<T> args{};
    args.r = static_cast<const T *>(r), args.k = static_cast<const T *>(k), args.v = static_cast<const T *>(v);
    args.dy = static_cast<const T *>(dy), args.log_w = log_w, args.u = u;
    args.saved = saved, args.state_gradients = state_gradients;
    args.dr = static_cast<T *>(dr), args.dk = static_cast<T *>(dk), args.dv = static_cast<T *>(dv);
    args.dlog_w = dlog_w, args.du = du, args.length = length, args.heads = heads;
    const dim3 blocks((length + CHUNK - 1) / CHUNK, batch * heads);
    return launch(chunk_gradients<T>, blocks, CHUNK_THREADS, static_cast<int>(sizeof(ChunkShared)), stream, args);
}

} // namespace

extern "C" {

int wkv6_chunk() { return CHUNK; }

const char *wkv6_error(int error) { return error_message(error); }

int wkv6_forward(int bf16, int splits, int batch, int length, int heads, const void *r, const void *k, const void *v,
                 const float *log_w, const float *u, const float *state, void *y, float *after, float *saved,
                 void *stream) {
    return (bf16 ? forward<bfloat16> : forward<float>)(batch, length, heads, splits, r, k, v, log_w, u, state, y, after,
                                                       saved, stream);
}

int wkv6_backward(int bf16, int splits, int batch, int length, int heads, const void *r, const void *k, const void *v,
                  const float *log_w, const float *u, const float *saved, const void *dy, const float *dafter, void *dr,
                  void *dk, void *dv, float *dlog_w, float *du, float *dstate, float *state_gradients, void *stream) {
    return (bf16 ? backward<bfloat16> : backward<float>)(batch, length, heads, splits, r, k, v, log_w, u, saved, dy,
                                                         dafter, dr, dk, dv, dlog_w, du, dstate, state_gradients, stream);
}
}
