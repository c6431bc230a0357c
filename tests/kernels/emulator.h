/* An emulator for the part of CUDA that kernels/cuda uses. The threads of a block are fibers of one CPU thread, which
 * switch at barriers and shuffles. Results equal those of a GPU up to the rounding of fused products.
 *
 * It is stricter than a GPU. Shared memory starts as NaN. A barrier that some threads do not reach is an error. Between
 * barriers threads run one after the other, optionally with one warp far ahead (`emulator_order`), so that a missing
 * barrier changes the results. Blocks run in sequence and grids immediately; streams are ignored. */
#pragma once

#include <csetjmp>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#define __global__
#define __device__
#define __launch_bounds__(...)

struct dim3 {
    unsigned x, y;
    dim3(unsigned x = 1, unsigned y = 1) : x(x), y(y) {}
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline uint32_t __float_as_uint(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline float __uint_as_float(uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

constexpr unsigned ALL_LANES = 0xffffffff;
inline thread_local dim3 threadIdx, blockIdx, gridDim;

namespace emulator {

constexpr int STACK = 1 << 16, MEMORY = 227 << 10;
constexpr int DEADLOCK = 1, TOO_MUCH_MEMORY = 2;

/* A barrier for all threads of a block or the lanes of a warp. */
struct Barrier {
    int members = 0, arrived = 0, passed = 0;
};

struct Fiber {
    ucontext_t context; /* for the start; then `resume_point`, since swapping contexts takes two system calls */
    jmp_buf resume_point;
    std::vector<char> stack = std::vector<char>(STACK);
    Barrier *waiting_for = nullptr;
    int generation = 0; /* of the barrier on arrival */
    int shuffles = 0;
    bool started = false, done = false;
};

struct Block {
    jmp_buf scheduler;
    std::vector<Fiber> fibers;
    std::vector<Barrier> warps;
    Barrier all;
    std::vector<float> shuffled; /* two alternating slots per thread, so that one barrier per shuffle suffices */
    int running = 0;
    void (*kernel)(const void *) = nullptr;
    const void *call = nullptr;
};

inline thread_local Block block;
alignas(16) inline thread_local unsigned char memory[MEMORY];
inline thread_local unsigned order = 0;

inline void wait(Barrier &barrier) {
    Fiber &self = block.fibers[block.running];
    self.waiting_for = &barrier, self.generation = barrier.passed;
    if (++barrier.arrived == barrier.members) barrier.arrived = 0, barrier.passed++;
    if (!_setjmp(self.resume_point)) _longjmp(block.scheduler, 1);
}

inline void start() {
    block.kernel(block.call);
    block.fibers[block.running].done = true;
    _longjmp(block.scheduler, 1);
}

/* Run a thread until it waits or ends. */
inline void resume(int thread) {
    Fiber &fiber = block.fibers[thread];
    block.running = thread, threadIdx = dim3(thread), fiber.waiting_for = nullptr;
    if (_setjmp(block.scheduler)) return;
    if (fiber.started) _longjmp(fiber.resume_point, 1);
    fiber.started = true;
    setcontext(&fiber.context);
}

/* Run one block. Return 0, or DEADLOCK if threads wait for others that have ended. */
inline int run(int threads, std::mt19937 &generator) {
    block.fibers.resize(threads);
    block.shuffled.assign(2 * threads, NAN);
    block.warps.assign((threads + 31) / 32, Barrier{32, 0, 0});
    block.all = Barrier{threads, 0, 0};
    std::memset(memory, 0xff, sizeof memory); /* a float of these bits is NaN */
    std::vector<int> thread_order(threads);
    int idle = 0; /* rounds without progress */
    for (int i = 0; i < threads; i++) {
        Fiber &fiber = block.fibers[thread_order[i] = i];
        fiber.waiting_for = nullptr, fiber.shuffles = 0, fiber.started = fiber.done = false;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data(), fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, start, 0);
    }
    for (int left = threads; left > 0;) {
        if (order) std::shuffle(thread_order.begin(), thread_order.end(), generator);
        const int warp = order ? thread_order[0] / 32 : -1; /* runs ahead of the others as far as it can */
        for (bool progressed = true; progressed;) {
            progressed = false;
            for (const int i : thread_order) {
                const Fiber &fiber = block.fibers[i];
                if (fiber.done || (fiber.waiting_for && fiber.waiting_for->passed == fiber.generation)) continue;
                if (warp >= 0 && i / 32 != warp) continue;
                resume(i);
                progressed = true, left -= fiber.done, idle = 0;
            }
        }
        if (++idle > threads) return DEADLOCK;
    }
    return 0;
}

} // namespace emulator

inline void __syncthreads() { emulator::wait(emulator::block.all); }

inline float __shfl_xor_sync(unsigned, float x, int mask) {
    using emulator::block;
    const int self = block.running, slot = block.fibers[self].shuffles++ % 2;
    block.shuffled[2 * self + slot] = x;
    emulator::wait(block.warps[self / 32]);
    return block.shuffled[2 * (self ^ mask) + slot];
}

template <typename Shared> Shared &shared_memory() { return *reinterpret_cast<Shared *>(emulator::memory); }

template <typename Arguments>
int launch(void (*kernel)(Arguments), dim3 blocks, int threads, int shared, void *, Arguments arguments) {
    if (shared > emulator::MEMORY) return emulator::TOO_MUCH_MEMORY;
    static thread_local void (*now)(Arguments);
    now = kernel;
    emulator::block.kernel = [](const void *call) { now(*static_cast<const Arguments *>(call)); };
    emulator::block.call = &arguments;
    std::mt19937 generator(emulator::order);
    gridDim = blocks;
    for (unsigned y = 0; y < blocks.y; y++)
        for (unsigned x = 0; x < blocks.x; x++) {
            blockIdx = dim3(x, y);
            if (const int error = emulator::run(threads, generator)) return error;
        }
    return 0;
}

inline const char *error_message(int error) {
    return error == emulator::DEADLOCK ? "some threads never reach a barrier" : "too much shared memory";
}

/* 0: threads run in order. Other numbers seed a new random order at each barrier. */
extern "C" inline __attribute__((used, visibility("default"))) void emulator_order(unsigned order) {
    emulator::order = order;
}
