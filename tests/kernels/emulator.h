/* Enough of CUDA to run the kernels of kernels/cuda on the CPU: a block's threads are fibers of one thread, which take
 * turns at barriers and shuffles. Numbers are what a GPU computes, but for the rounding of fused products.
 *
 * It is stricter than a GPU. Shared memory begins as NaN; a barrier that some threads do not come to is an error; and
 * between barriers threads run one after the other, a warp far ahead if the caller so chooses (`emulator_order`), so that a
 * missing barrier changes the numbers. Blocks run one after the other, grids at once: streams are ignored. */
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
constexpr int STUCK = 1, TOO_MUCH_MEMORY = 2;

/* Threads that wait for one another: all of a block, or a warp's lanes. */
struct Barrier {
    int members = 0, arrived = 0, passed = 0;
};

struct Fiber {
    ucontext_t context; /* to begin in; from then on `place`, since swapping contexts would be two system calls each time */
    jmp_buf place;
    std::vector<char> stack = std::vector<char>(STACK);
    Barrier *waits = nullptr;
    int generation = 0; /* of the barrier, when it came there */
    int shuffles = 0;
    bool begun = false, done = false;
};

struct Block {
    jmp_buf scheduler;
    std::vector<Fiber> fibers;
    std::vector<Barrier> warps;
    Barrier all;
    std::vector<float> given; /* by shuffles: two slots a thread, in turn, so that one wait a shuffle is enough */
    int running = 0;
    void (*kernel)(const void *) = nullptr;
    const void *call = nullptr;
};

inline thread_local Block block;
alignas(16) inline thread_local unsigned char memory[MEMORY];
inline thread_local unsigned order = 0;

inline void wait(Barrier &barrier) {
    Fiber &self = block.fibers[block.running];
    self.waits = &barrier, self.generation = barrier.passed;
    if (++barrier.arrived == barrier.members) barrier.arrived = 0, barrier.passed++;
    if (!_setjmp(self.place)) _longjmp(block.scheduler, 1);
}

inline void start() {
    block.kernel(block.call);
    block.fibers[block.running].done = true;
    _longjmp(block.scheduler, 1);
}

/* Let a thread run up to where it waits next, or its end. */
inline void resume(int thread) {
    Fiber &fiber = block.fibers[thread];
    block.running = thread, threadIdx = dim3(thread), fiber.waits = nullptr;
    if (_setjmp(block.scheduler)) return;
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    setcontext(&fiber.context);
}

/* One block from its start to its end; 0, or STUCK where threads wait for others that never come. */
inline int run(int threads, std::mt19937 &chance) {
    block.fibers.resize(threads);
    block.given.assign(2 * threads, NAN);
    block.warps.assign((threads + 31) / 32, Barrier{32, 0, 0});
    block.all = Barrier{threads, 0, 0};
    std::memset(memory, 0xff, sizeof memory); /* a float of these bits is NaN */
    std::vector<int> turns(threads);
    int idle = 0; /* turns in which no thread could go on */
    for (int i = 0; i < threads; i++) {
        Fiber &fiber = block.fibers[turns[i] = i];
        fiber.waits = nullptr, fiber.shuffles = 0, fiber.begun = fiber.done = false;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data(), fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, start, 0);
    }
    for (int left = threads; left > 0;) {
        if (order) std::shuffle(turns.begin(), turns.end(), chance);
        const int warp = order ? turns[0] / 32 : -1; /* goes ahead of the others for as long as it can */
        for (bool moved = true; moved;) {
            moved = false;
            for (const int i : turns) {
                const Fiber &fiber = block.fibers[i];
                if (fiber.done || (fiber.waits && fiber.waits->passed == fiber.generation)) continue;
                if (warp >= 0 && i / 32 != warp) continue;
                resume(i);
                moved = true, left -= fiber.done, idle = 0;
            }
        }
        if (++idle > threads) return STUCK;
    }
    return 0;
}

} // namespace emulator

inline void __syncthreads() { emulator::wait(emulator::block.all); }

inline float __shfl_xor_sync(unsigned, float x, int mask) {
    using emulator::block;
    const int self = block.running, slot = block.fibers[self].shuffles++ % 2;
    block.given[2 * self + slot] = x;
    emulator::wait(block.warps[self / 32]);
    return block.given[2 * (self ^ mask) + slot];
}

template <typename Shared> Shared &shared_memory() { return *reinterpret_cast<Shared *>(emulator::memory); }

template <typename Arguments>
int launch(void (*kernel)(Arguments), dim3 blocks, int threads, int shared, void *, Arguments arguments) {
    if (shared > emulator::MEMORY) return emulator::TOO_MUCH_MEMORY;
    static thread_local void (*now)(Arguments);
    now = kernel;
    emulator::block.kernel = [](const void *call) { now(*static_cast<const Arguments *>(call)); };
    emulator::block.call = &arguments;
    std::mt19937 chance(emulator::order);
    gridDim = blocks;
    for (unsigned y = 0; y < blocks.y; y++)
        for (unsigned x = 0; x < blocks.x; x++) {
            blockIdx = dim3(x, y);
            if (const int error = emulator::run(threads, chance)) return error;
        }
    return 0;
}

inline const char *error_words(int error) {
    return error == emulator::STUCK ? "threads wait at a barrier for others that do not come" : "too much shared memory";
}

/* 0: threads run in their own order; any other number: in one drawn from it, anew at every barrier. */
extern "C" inline __attribute__((used, visibility("default"))) void emulator_order(unsigned order) {
    emulator::order = order;
}
