"""WKV-6's CUDA kernels compared with PyTorch, flash-linear-attention and the limits of the device.

Each computes the outputs, the state and all gradients of random bfloat16 tokens, in turn in one run.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from bench.measurement import BenchmarkSetup, Measurement, SectionSkipped, shown
from kernels import cuda
from kernels.cuda.library import HEAD_SIZE
from kernels.cuda.wkv6_cuda import CHUNK
from kernels.wkv6_naive import wkv6_naive
from radio.types import Seconds
from train.operators.wkv6 import wkv6_chunked

Form: TypeAlias = Callable[..., tuple[Tensor, Tensor]]

HEADS = 8
SHORT = 256
"""Tokens for the naive form, which stores every state for its gradients; its speed does not depend on the length."""
ROUNDS = 9
_BYTES, _PRODUCTS = 2**30, 4096
"""Sizes for measurements of the device: bytes to copy, and rows and columns of a matrix product."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Tokens of `HEADS` heads."""

    batch: int
    length: int

    @property
    def tokens(self) -> int:
        return self.batch * self.length

    @property
    def bytes(self) -> int:
        """The minimum bytes that forward and backward move: the inputs and outputs of each kernel once.

        A head's token is 64 numbers: 128 bytes in bfloat16, 256 for the decays and their gradients. Each saved state
        and its gradient are written and read once.
        """
        heads = self.tokens * HEADS
        forward, back, chunk = 4 * 128 + 256, 2 * 128 + 256, 7 * 128 + 2 * 256
        states = 4 * self.batch * HEADS * -(-self.length // CHUNK) * HEAD_SIZE**2 * 4
        return heads * (forward + back + chunk) + states

    @property
    def operations(self) -> float:
        """Floating-point operations of forward and backward, counted in the kernels for each element of the state.

        Forward: 5. Backward: 3 for the gradients of the states, and 17 in a chunk: 6 to recompute states, 2 for r, 2
        each for k, v and the decay, and 3 for the step back.
        """
        return self.tokens * HEADS * HEAD_SIZE**2 * (5 + 3 + 17)


SHAPES = [Shape(16, 4096), Shape(64, 512), Shape(4, 1024)]


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Measure the kernels. Only the effort of `setup` is used.

    Raises:
        SectionSkipped: There is no CUDA device, or no kernels for it.
    """
    if not torch.cuda.is_available():
        raise SectionSkipped("no CUDA device")
    if missing := cuda.missing_reason(torch.cuda.current_device()):
        raise SectionSkipped(missing)
    rounds = max(1, round(ROUNDS * setup.effort))
    copied, multiplied = _copy_bandwidth(rounds), _arithmetic(rounds)
    device = torch.cuda.get_device_name()
    yield Measurement("memory: a copy, read and written", copied / 1e9, "GB/s", absolute=device)
    yield Measurement("arithmetic: a float32 matrix product", multiplied / 1e12, "TFLOP/s", absolute=device)
    for shape in SHAPES:
        yield from _one_shape(shape, rounds, copied, multiplied)


def _one_shape(shape: Shape, rounds: int, copied: float, multiplied: float) -> Iterator[Measurement]:
    short = Shape(shape.batch, min(shape.length, SHORT))
    works = {
        "ours": _training(cuda.wkv6, shape, torch.bfloat16),
        "chunked": _training(wkv6_chunked, shape, torch.float32),
        "naive": _training(wkv6_naive, short, torch.float32),
    }
    if peer := _flash_linear_attention():
        works["fla"] = _training(peer, shape, torch.bfloat16)
    seconds = dict(zip(works, _in_turn(*works.values(), rounds=rounds), strict=True))
    ours = shape.tokens / seconds["ours"]
    name = f"{shape.batch} × {shape.length} tokens, {HEADS} heads"
    yield Measurement(f"{name}, forward and backward", ours / 1e6, "M tokens/s")
    peers = {"chunked": ("PyTorch in chunks", shape), "naive": ("the naive form", short), "fla": ("fla", shape)}
    for peer_name in list(works)[1:]:
        label, peer_shape = peers[peer_name]
        theirs = peer_shape.tokens / seconds[peer_name]
        made_of = f"{shown(ours / 1e6, 'M')}; {shown(theirs / 1e6, 'M tokens/s')}"
        yield Measurement(f"{name}, against {label}", ours / theirs, "×", absolute=made_of)
    bandwidth, speed = shape.bytes / seconds["ours"], shape.operations / seconds["ours"]
    yield Measurement(
        f"{name}, share of the memory bandwidth", 100 * bandwidth / copied, "%",
        absolute=f"{shape.bytes / 1e9:.2f} GB moved, {bandwidth / 1e9:.0f} GB/s",
    )  # fmt: skip
    yield Measurement(
        f"{name}, share of the arithmetic", 100 * speed / multiplied, "%",
        absolute=f"{shape.operations / 1e9:.0f} GFLOP, {speed / 1e12:.1f} TFLOP/s",
    )  # fmt: skip


def _training(form: Form, shape: Shape, dtype: torch.dtype) -> Callable[[], object]:
    """Return a workload of one forward and backward pass."""
    generator = torch.Generator("cuda").manual_seed(0)

    def normal(*size: int) -> Tensor:
        return torch.randn(size, device="cuda", generator=generator)

    tokens = (shape.batch, shape.length, HEADS, HEAD_SIZE)
    r, k, v = (normal(*tokens).to(dtype) for _ in range(3))
    rest = -normal(*tokens).exp(), normal(HEADS, HEAD_SIZE), normal(shape.batch, HEADS, HEAD_SIZE, HEAD_SIZE)
    arguments = [x.requires_grad_() for x in (r, k, v, *rest)]
    ahead = normal(*tokens).to(dtype), normal(*rest[2].shape)

    def work() -> object:
        return torch.autograd.grad(form(*arguments), arguments, ahead)

    return work


def _flash_linear_attention() -> Form | None:
    """Return the operator of flash-linear-attention, if it is installed."""
    try:
        from fla.ops.rwkv6 import chunk_rwkv6
    except ImportError:
        return None

    def form(r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: PLR0917
        y, after = chunk_rwkv6(r, k, v, log_w, u, scale=1.0, initial_state=state, output_final_state=True)
        return y, after

    return form


def _copy_bandwidth(rounds: int) -> float:
    """Return the bytes per second, read and written, of a copy within the device."""
    source = torch.empty(_BYTES, dtype=torch.uint8, device="cuda").random_()
    target = torch.empty_like(source)
    return 2 * _BYTES / _in_turn(lambda: target.copy_(source), rounds=rounds)[0]


def _arithmetic(rounds: int) -> float:
    """Return the operations per second of a float32 matrix product, without tensor cores, like the kernels."""
    matrix = torch.randn(_PRODUCTS, _PRODUCTS, device="cuda")
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        return 2 * _PRODUCTS**3 / _in_turn(lambda: matrix @ matrix, rounds=rounds)[0]
    finally:
        torch.set_float32_matmul_precision(precision)


def _in_turn(*works: Callable[[], object], rounds: int) -> list[Seconds]:
    """Return the median time of each workload over rounds, after a warm-up, measured by the device's clock."""
    table: list[list[Seconds]] = []
    for _ in range(rounds + 1):
        row = []
        for work in works:
            before, after = _event(), _event()
            before.record()
            work()
            after.record()
            after.synchronize()
            row.append(before.elapsed_time(after) / 1e3)
        table.append(row)
    return [statistics.median(column) for column in zip(*table[1:], strict=True)]


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
