/* What the kernels ask of a device beside CUDA's own words. Any C++ compiler that has the tests' `emulator.h` can compile
 * them too, so that their numbers are tested where there is no GPU. */
#pragma once

#include <cstdint>

#ifdef __CUDACC__

constexpr unsigned ALL_LANES = 0xffffffff;

/* The block's dynamic shared memory, as a struct of its arrays. */
template <typename Shared> __device__ Shared &shared_memory() {
    extern __shared__ __align__(16) unsigned char memory[];
    return *reinterpret_cast<Shared *>(memory);
}

/* Queue a kernel on a stream; a cudaError_t, 0 if all is well. */
template <typename Arguments>
int launch(void (*kernel)(Arguments), dim3 blocks, int threads, int shared, void *stream, Arguments arguments) {
    cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
    if (error != cudaSuccess) return error;
    kernel<<<blocks, threads, shared, static_cast<cudaStream_t>(stream)>>>(arguments);
    return cudaGetLastError();
}

inline const char *error_words(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

#else
#include <emulator.h>
#endif
