"""The CUDA kernels against the reference in float64.

The tests run on the CPU, with the kernels compiled against `emulator.h`, and on a CUDA device if there is one.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from kernels.cuda import KernelError, library, supports_wkv, wkv6, wkv6_cuda
from kernels.cuda.library import Library
from kernels.wkv6_naive import wkv6_naive
from train.operators.wkv6 import wkv6 as training_wkv6

BATCH, HEADS, SIZE = 2, 2, 64
ROUNDING = {torch.float32: 1e-6, torch.bfloat16: 4e-3}
"""Allowed error of results per dtype, relative to the norm of the reference."""


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Library:
    path = tmp_path_factory.mktemp("emulated") / "wkv6.so"
    options = ["-std=c++17", "-O1", "-ffp-contract=fast", "-Wall", "-Wextra", "-Wno-clobbered", "-Wno-unknown-pragmas"]
    paths = [f"-I{Path(__file__).parent}", "-o", str(path), "-x", "c++", str(library.FOLDER / "wkv6.cu")]
    result = subprocess.run(
        ["g++", *options, "-Werror", "-shared", "-fPIC", *paths], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return Library(path)


class Target:
    """A device for the operator, its kernels, and the number of blocks per head."""

    def __init__(self, device: str, kernels: Library) -> None:
        self.device = torch.device(device)
        self.kernels = kernels
        self.splits = 1


@pytest.fixture(params=["emulated", "cuda"])
def target(request: pytest.FixtureRequest, emulated: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """Run the operator on a target, with outputs and scratch memory initialized to NaN."""
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")
        chosen = Target("cuda", library.open_library(0))
    else:
        chosen = Target("cpu", emulated)
    monkeypatch.setattr(wkv6_cuda, "_library", lambda tensor: (chosen.kernels, chosen.splits))  # noqa: ARG005 - the signature of `_library`
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(mode=True)  # makes `empty` fill with NaN
    yield chosen
    torch.use_deterministic_algorithms(mode=before)


def make_inputs(
    target: Target, length: int, dtype: torch.dtype = torch.float32, *, decay: float = -1.0
) -> list[Tensor]:
    """Return r, k, v, log_w, u, state with decays around exp(-exp(decay))."""
    torch.manual_seed(length)
    tokens = (BATCH, length, HEADS, SIZE)
    r, k, v = (torch.randn(tokens).to(target.device, dtype) for _ in range(3))
    log_w, u = -torch.exp(torch.randn(tokens) + decay), torch.randn(HEADS, SIZE)
    state = torch.randn(BATCH, HEADS, SIZE, SIZE)
    return [x.requires_grad_() for x in (r, k, v, *(x.to(target.device) for x in (log_w, u, state)))]


def gradients(y: Tensor, after: Tensor, arguments: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(1)
    outputs = [x for x in (y, after) if x.requires_grad]  # without tokens the y of the reference depends on no input
    weights = [torch.randn(x.shape).to(x.device, torch.bfloat16).to(x.dtype) for x in (y, after)][-len(outputs) :]
    return list(torch.autograd.grad(outputs, arguments, weights, materialize_grads=True))


def run(arguments: list[Tensor]) -> list[Tensor]:
    """Return the outputs and all gradients."""
    y, after = wkv6(*arguments)
    return [y.detach(), after.detach(), *gradients(y, after, arguments)]


def check(results: list[Tensor], arguments: list[Tensor]) -> None:
    """Assert that outputs and gradients agree with the reference, computed on the CPU."""
    doubles = [x.detach().cpu().double().requires_grad_() for x in arguments]
    y, after = wkv6_naive(*doubles)
    expected = [y.detach(), after.detach(), *gradients(y, after, doubles)]
    names = ("y", "after", "r", "k", "v", "log_w", "u", "state")
    for name, result, reference in zip(names, results, expected, strict=True):
        assert result.shape == reference.shape
        error = float((result.cpu().double() - reference).norm())
        assert error <= ROUNDING[result.dtype] * float(reference.norm()), name  # fails for NaN too


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(
    ("length", "decay"), [(0, -1.0), (1, 3.0), (7, -1.0), (16, -6.0), (32, 3.0), (33, -1.0), (61, -6.0), (61, 3.0)]
)
def test_outputs_and_gradients_agree_with_the_reference(
    target: Target, length: int, decay: float, dtype: torch.dtype
) -> None:
    arguments = make_inputs(target, length, dtype, decay=decay)
    check(run(arguments), arguments)


@pytest.mark.parametrize("splits", [2, 4])
def test_splitting_a_head_into_blocks_does_not_change_the_results(target: Target, splits: int) -> None:
    arguments = make_inputs(target, 37)
    whole = run(arguments)
    target.splits = splits
    cut = run(arguments)
    check(cut, arguments)
    assert same([whole[1], whole[-1]], [cut[1], cut[-1]])  # the columns of a state are independent


@pytest.mark.parametrize("cut", [1, 16, 33])
def test_two_windows_equal_one(target: Target, cut: int) -> None:
    arguments = make_inputs(target, 50)
    *tokens, u, state = arguments
    whole = [x.detach() for x in wkv6(*arguments)]
    first, middle = wkv6(*(x[:, :cut] for x in tokens), u, state)
    second, end = wkv6(*(x[:, cut:] for x in tokens), u, middle)
    joined = torch.cat([first, second], dim=1)
    assert same(whole, [joined, end])
    check([*whole, *gradients(joined, end, arguments)], arguments)


def test_runs_are_bit_identical(target: Target) -> None:
    arguments = make_inputs(target, 45, torch.bfloat16)
    first = run(arguments)
    assert same(first, run(arguments))
    with torch.no_grad():  # also if no states are saved for gradients
        assert same(first[:2], list(wkv6(*arguments)))


def test_no_barrier_is_missing(target: Target) -> None:
    if target.device.type != "cpu":
        pytest.skip("only the emulator can change the order of threads")
    arguments = make_inputs(target, 35)
    order = target.kernels._functions.emulator_order  # only in the emulated build
    first = run(arguments)
    try:
        for seed in (1, 2):
            order(ctypes.c_uint(seed))
            assert same(first, run(arguments))
    finally:
        order(ctypes.c_uint(0))


def test_gradients_of_a_single_output_agree_with_the_reference(target: Target) -> None:
    arguments = make_inputs(target, 20)
    doubles = [x.detach().cpu().double().requires_grad_() for x in arguments]
    for output in (0, 1):
        actual = torch.autograd.grad(wkv6(*arguments)[output].sum(), arguments)
        expected = torch.autograd.grad(wkv6_naive(*doubles)[output].sum(), doubles, materialize_grads=True)
        for result, reference in zip(actual, expected, strict=True):
            torch.testing.assert_close(result.cpu(), reference.float(), rtol=1e-4, atol=1e-4)


def test_the_kernels_stay_within_the_tensors(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tensor has NaNs on both sides. Reading them would spoil results, and writing would replace them."""
    fence, buffers = 1024, []

    def fenced_tensor(shape: torch.Size, dtype: torch.dtype) -> Tensor:
        buffer = torch.full((2 * fence + shape.numel(),), torch.nan, dtype=dtype, device=target.device)
        buffers.append(buffer)
        return buffer[fence:-fence].view(shape)

    arguments = make_inputs(target, 19, torch.bfloat16)
    inside = [fenced_tensor(x.shape, x.dtype).copy_(x.detach()).requires_grad_() for x in arguments]
    monkeypatch.setattr(
        Tensor, "new_empty", lambda like, size, dtype=None: fenced_tensor(torch.Size(size), dtype or like.dtype)
    )
    results = run(inside)
    monkeypatch.undo()
    check([x.clone() for x in results], arguments)
    assert len(buffers) > len(arguments) + 8
    assert all(buffer[:fence].isnan().all() and buffer[-fence:].isnan().all() for buffer in buffers)


def test_views_give_the_same_results(target: Target) -> None:
    arguments = make_inputs(target, 18)
    views = [x.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_() for x in arguments[:4]]
    u = torch.cat([torch.zeros(1, device=target.device), arguments[4].detach().flatten()])[1:].view(HEADS, SIZE)
    assert u.data_ptr() % 16 != 0
    assert same(run(arguments), run([*views, u.requires_grad_(), arguments[5]]))


def test_the_operator_passes_opcheck(target: Target) -> None:
    """Check what `torch.compile` relies on: the schema, shapes without data, and gradients."""
    torch.library.opcheck(torch.ops.radio.wkv6_forward.default, (*make_inputs(target, 5), True))


def test_invalid_tensors_are_rejected() -> None:
    target = Target("cpu", None)  # type: ignore[arg-type]
    r, k, v, log_w, u, state = make_inputs(target, 3)
    with pytest.raises(ValueError, match=r"k has shape \(2, 2, 2, 64\); r requires \(2, 3, 2, 64\)"):
        wkv6(r, k[:, :2], v, log_w, u, state)
    with pytest.raises(ValueError, match=r"use \(batch, tokens, heads, 64\)"):
        wkv6(r[..., :32], k, v, log_w, u, state)
    with pytest.raises(
        ValueError, match=r"float32, torch\.float64, torch\.float32; use float32 for all, or bfloat16 for all"
    ):
        wkv6(r, k.double(), v, log_w, u, state)
    with pytest.raises(KernelError, match="the CUDA kernels do not support tensors on cpu"):
        wkv6(r, k, v, log_w, u, state)


def test_heads_are_split_until_the_multiprocessors_are_busy() -> None:
    assert [wkv6_cuda.splits(heads, 132) for heads in (8, 131, 132, 263, 264, 4096)] == [4, 4, 2, 2, 1, 1]


@pytest.mark.slow
def test_nvcc_compiles_the_kernels(tmp_path: Path) -> None:
    if library.find_nvcc() is None:
        pytest.skip("no nvcc on PATH or in CUDA_HOME")
    path = library.build("sm_90", tmp_path)
    assert library.build("sm_90", tmp_path) == path
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert Library(path).chunk == wkv6_cuda.CHUNK


def test_compiler_errors_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if library.find_nvcc() is None:
        pytest.skip("no nvcc on PATH or in CUDA_HOME")
    with pytest.raises(KernelError, match=r"nvcc failed, .*sm_12.*: .+"):
        library.build("sm_12", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    with pytest.raises(KernelError, match="nvcc is neither on PATH nor in CUDA_HOME"):
        library.build("sm_90", tmp_path)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "nvcc warning : old\na.cu(3): error: expected a ;\n  int x\n\n1 error detected.\n",
            "a.cu(3): error: expected a ;",
        ),
        ("nvcc fatal   : no such architecture\n", "nvcc fatal   : no such architecture"),
        ("", "it printed nothing"),
    ],
)
def test_a_failed_build_has_a_reason_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, reason: str
) -> None:
    compiler = tmp_path / "nvcc"
    (tmp_path / "output").write_text(output)
    compiler.write_text('#!/bin/sh\ncat "${0%/*}/output" >&2\nexit 1\n')
    compiler.chmod(0o755)
    monkeypatch.setattr(library, "find_nvcc", lambda: str(compiler))
    with pytest.raises(KernelError) as caught:
        library.build("sm_90", tmp_path / "out")
    assert str(caught.value).endswith(f": {reason}")
    assert "\n" not in str(caught.value)


def test_training_uses_the_kernels_on_a_cuda_device() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    r, k, v, decay, u, state = make_inputs(Target("cuda", library.open_library(0)), 40)
    base = torch.randn_like(u)
    assert supports_wkv(r)
    y, after = training_wkv6(r, k, v, decay, base, u, state)
    assert same([y, after], list(wkv6(r, k, v, -(base + decay).exp(), u, state)))
