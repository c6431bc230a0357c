/* WKV-6 forwards and backwards, behind a C interface: all pointers are the device's, all work is queued on `stream`.
 *
 * The operator and its axes are those of kernels/wkv6_naive.py. Token-wise arrays and rows begin on 16 bytes. Both
 * functions return a cudaError_t, 0 if all is well. */
#include "chunk.cuh"

namespace {

template <typename T, bool BACKWARDS> int queue_scan(int batch, int splits, void *stream, const Scan<T> &of) {
    const dim3 blocks(batch * of.heads, splits);
    const auto queue = [&](auto kernel, int shared) { return launch(kernel, blocks, SCAN_THREADS, shared, stream, of); };
    if (splits == 1) return queue(scan<T, 8, BACKWARDS>, sizeof(ScanShared<8>));
    if (splits == 2) return queue(scan<T, 4, BACKWARDS>, sizeof(ScanShared<4>));
    return queue(scan<T, 2, BACKWARDS>, sizeof(ScanShared<2>));
}

template <typename T>
int forward(int batch, int length, int heads, int splits, const void *r, const void *k, const void *v, const float *log_w,
            const float *u, const float *state, void *y, float *after, float *saved, void *stream) {
    Scan<T> of{};
    of.keys = static_cast<const T *>(k), of.values = static_cast<const T *>(v), of.log_w = log_w;
    of.before = state, of.after = after, of.saved = saved;
    of.r = static_cast<const T *>(r), of.u = u, of.y = static_cast<T *>(y);
    of.length = length, of.heads = heads;
    return queue_scan<T, false>(batch, splits, stream, of);
}

template <typename T>
int backward(int batch, int length, int heads, int splits, const void *r, const void *k, const void *v,
             const float *log_w, const float *u, const float *saved, const void *dy, const float *dafter, void *dr,
             void *dk, void *dv, float *dlog_w, float *du, float *dstate, float *arriving, void *stream) {
    Scan<T> back{};
    back.keys = static_cast<const T *>(r), back.values = static_cast<const T *>(dy), back.log_w = log_w;
    back.before = dafter, back.after = dstate, back.saved = arriving;
    back.length = length, back.heads = heads;
    const int error = queue_scan<T, true>(batch, splits, stream, back);
    if (error || length == 0) return error;

    Gradients<T> of{};
    of.r = static_cast<const T *>(r), of.k = static_cast<const T *>(k), of.v = static_cast<const T *>(v);
    of.dy = static_cast<const T *>(dy), of.log_w = log_w, of.u = u, of.saved = saved, of.arriving = arriving;
    of.dr = static_cast<T *>(dr), of.dk = static_cast<T *>(dk), of.dv = static_cast<T *>(dv);
    of.dlog_w = dlog_w, of.du = du, of.length = length, of.heads = heads;
    const dim3 blocks((length + CHUNK - 1) / CHUNK, batch * heads);
    return launch(chunk_gradients<T>, blocks, CHUNK_THREADS, static_cast<int>(sizeof(ChunkShared)), stream, of);
}

} // namespace

extern "C" {

int wkv6_chunk() { return CHUNK; }

const char *wkv6_error(int error) { return error_words(error); }

int wkv6_forward(int bf16, int splits, int batch, int length, int heads, const void *r, const void *k, const void *v,
                 const float *log_w, const float *u, const float *state, void *y, float *after, float *saved,
                 void *stream) {
    return (bf16 ? forward<bfloat16> : forward<float>)(batch, length, heads, splits, r, k, v, log_w, u, state, y, after,
                                                       saved, stream);
}

int wkv6_backward(int bf16, int splits, int batch, int length, int heads, const void *r, const void *k, const void *v,
                  const float *log_w, const float *u, const float *saved, const void *dy, const float *dafter, void *dr,
                  void *dk, void *dv, float *dlog_w, float *du, float *dstate, float *arriving, void *stream) {
    return (bf16 ? backward<bfloat16> : backward<float>)(batch, length, heads, splits, r, k, v, log_w, u, saved, dy,
                                                         dafter, dr, dk, dv, dlog_w, du, dstate, arriving, stream);
}
}
