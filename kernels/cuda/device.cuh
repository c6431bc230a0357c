/* Device functions that the kernels need beyond CUDA's own. With the tests' `emulator.h`, any C++ compiler can compile
 * the kernels too, so that their results are tested without a GPU. */
#pragma once

#include <cstdint>

#ifdef __CUDACC__

constexpr unsigned ALL_LANES = 0xffffffff;

/* Return the dynamic shared memory of the block as a struct of arrays. */
template <typename Shared> __device__ Shared &shared_memory() {
    extern __shared__ __align__(16) unsigned char memory[];
    return *reinterpret_cast<Shared *>(memory);
}

/* Queue a kernel on a stream. Return a cudaError_t, 0 on success. */
template <typename Arguments>
int launch(void (*kernel)(Arguments), dim3 blocks, int threads, int shared, void *stream, Arguments arguments) {
    cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
    if (error != cudaSuccess) return error;
    kernel<<<blocks, threads, shared, static_cast<cudaStream_t>(stream)>>>(arguments);
    return cudaGetLastError();
}

inline const char *error_message(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

#else
#include <emulator.h>
#endif
