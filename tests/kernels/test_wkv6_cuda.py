"""The CUDA kernels against the reference in float64: always on the CPU, the same source compiled against `emulator.h`,
and on a CUDA device where there is one."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from kernels.cuda import KernelError, library, takes, wkv6_cuda
from kernels.cuda import wkv6_cuda as wkv6
from kernels.cuda.library import Library
from kernels.wkv6_naive import wkv6_naive
from train.operators.wkv6 import wkv6 as training_wkv6

BATCH, HEADS, SIZE = 2, 2, 64
ROUNDING = {torch.float32: 1e-6, torch.bfloat16: 4e-3}
"""How far numbers that are stored in a dtype may be from the reference, as a part of its norm."""


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Library:
    built = tmp_path_factory.mktemp("emulated") / "wkv6.so"
    options = ["-std=c++17", "-O2", "-ffp-contract=fast", "-Wall", "-Wextra", "-Wno-clobbered", "-Wno-unknown-pragmas"]
    paths = [f"-I{Path(__file__).parent}", "-o", str(built), "-x", "c++", str(library.FOLDER / "wkv6.cu")]
    done = subprocess.run(
        ["g++", *options, "-Werror", "-shared", "-fPIC", *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Library(built)


class Place:
    """Where the operator runs, and how it cuts the heads there."""

    def __init__(self, device: str, kernels: Library) -> None:
        self.device = torch.device(device)
        self.kernels = kernels
        self.splits = 1


@pytest.fixture(params=["emulated", "cuda"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An operator whose outputs and scratch are not-a-number before it fills them."""
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device: the kernels ran on the CPU instead")
        here = Place("cuda", library.on_device(0))
    else:
        here = Place("cpu", request.getfixturevalue("emulated"))
    monkeypatch.setattr(wkv6, "_library", lambda tensor: (here.kernels, here.splits))  # noqa: ARG005 - as called
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(mode=True)  # fills what `empty` gives with NaN
    yield here
    torch.use_deterministic_algorithms(mode=before)


def drawn(place: Place, length: int, dtype: torch.dtype = torch.float32, *, decay: float = -1.0) -> list[Tensor]:
    """r, k, v, log_w, u, state; decays around exp(-exp(decay))."""
    torch.manual_seed(length)
    tokens = (BATCH, length, HEADS, SIZE)
    r, k, v = (torch.randn(tokens).to(place.device, dtype) for _ in range(3))
    log_w, u = -torch.exp(torch.randn(tokens) + decay), torch.randn(HEADS, SIZE)
    state = torch.randn(BATCH, HEADS, SIZE, SIZE)
    return [x.requires_grad_() for x in (r, k, v, *(x.to(place.device) for x in (log_w, u, state)))]


def gradients(y: Tensor, after: Tensor, arguments: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(1)
    outputs = [x for x in (y, after) if x.requires_grad]  # of no tokens the reference's y is not made from anything
    ahead = [torch.randn(x.shape).to(x.device, torch.bfloat16).to(x.dtype) for x in (y, after)][-len(outputs) :]
    return list(torch.autograd.grad(outputs, arguments, ahead, materialize_grads=True))


def run(arguments: list[Tensor]) -> list[Tensor]:
    """Outputs and all gradients."""
    y, after = wkv6_cuda(*arguments)
    return [y.detach(), after.detach(), *gradients(y, after, arguments)]


def check(found: list[Tensor], arguments: list[Tensor]) -> None:
    """Outputs and gradients are the reference's, which is computed on the CPU."""
    doubles = [x.detach().cpu().double().requires_grad_() for x in arguments]
    y, after = wkv6_naive(*doubles)
    expected = [y.detach(), after.detach(), *gradients(y, after, doubles)]
    for name, ours, theirs in zip(("y", "after", "r", "k", "v", "log_w", "u", "state"), found, expected, strict=True):
        assert ours.shape == theirs.shape
        error = float((ours.cpu().double() - theirs).norm())
        assert error <= ROUNDING[ours.dtype] * float(theirs.norm()), name  # NaN is not either


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(
    ("length", "decay"), [(0, -1.0), (1, 3.0), (7, -1.0), (16, -6.0), (32, 3.0), (33, -1.0), (61, -6.0), (61, 3.0)]
)
def test_outputs_and_gradients_are_the_references(place: Place, length: int, decay: float, dtype: torch.dtype) -> None:
    arguments = drawn(place, length, dtype, decay=decay)
    check(run(arguments), arguments)


@pytest.mark.parametrize("splits", [2, 4])
def test_a_head_cut_into_several_blocks_is_the_same_head(place: Place, splits: int) -> None:
    arguments = drawn(place, 37)
    whole = run(arguments)
    place.splits = splits
    cut = run(arguments)
    check(cut, arguments)
    assert same([whole[1], whole[-1]], [cut[1], cut[-1]])  # a state's columns never meet


@pytest.mark.parametrize("cut", [1, 16, 33])
def test_state_out_and_in_again_is_as_if_never_cut(place: Place, cut: int) -> None:
    arguments = drawn(place, 50)
    *tokens, u, state = arguments
    whole = [x.detach() for x in wkv6_cuda(*arguments)]
    first, middle = wkv6_cuda(*(x[:, :cut] for x in tokens), u, state)
    second, end = wkv6_cuda(*(x[:, cut:] for x in tokens), u, middle)
    joined = torch.cat([first, second], dim=1)
    assert same(whole, [joined, end])
    check([*whole, *gradients(joined, end, arguments)], arguments)


def test_every_run_gives_the_same_bits(place: Place) -> None:
    arguments = drawn(place, 45, torch.bfloat16)
    first = run(arguments)
    assert same(first, run(arguments))
    with torch.no_grad():  # and so where no states are kept for gradients
        assert same(first[:2], list(wkv6_cuda(*arguments)))


def test_no_barrier_is_missing(place: Place) -> None:
    if place.device.type != "cpu":
        pytest.skip("only the emulator can choose in which order threads run between two barriers")
    arguments = drawn(place, 35)
    order = place.kernels._functions.emulator_order  # in the tests' build alone
    first = run(arguments)
    try:
        for seed in (1, 2):
            order(ctypes.c_uint(seed))
            assert same(first, run(arguments))
    finally:
        order(ctypes.c_uint(0))


def test_a_gradient_of_one_output_alone(place: Place) -> None:
    arguments = drawn(place, 20)
    doubles = [x.detach().cpu().double().requires_grad_() for x in arguments]
    for output in (0, 1):
        ours = torch.autograd.grad(wkv6_cuda(*arguments)[output].sum(), arguments)
        theirs = torch.autograd.grad(wkv6_naive(*doubles)[output].sum(), doubles, materialize_grads=True)
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one.cpu(), other.float(), rtol=1e-4, atol=1e-4)


def test_nothing_is_read_or_written_beyond_the_tensors(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lies between fences of NaN, where reading would spoil results and writing would tear the fence down."""
    fence, fenced = 1024, []

    def between(shape: torch.Size, dtype: torch.dtype) -> Tensor:
        around = torch.full((2 * fence + shape.numel(),), torch.nan, dtype=dtype, device=place.device)
        fenced.append(around)
        return around[fence:-fence].view(shape)

    arguments = drawn(place, 19, torch.bfloat16)
    inside = [between(x.shape, x.dtype).copy_(x.detach()).requires_grad_() for x in arguments]
    monkeypatch.setattr(
        Tensor, "new_empty", lambda like, size, dtype=None: between(torch.Size(size), dtype or like.dtype)
    )
    found = run(inside)
    monkeypatch.undo()
    check([x.clone() for x in found], arguments)
    assert len(fenced) > len(arguments) + 8
    assert all(around[:fence].isnan().all() and around[-fence:].isnan().all() for around in fenced)


def test_views_are_taken_as_they_are(place: Place) -> None:
    arguments = drawn(place, 18)
    turned = [x.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_() for x in arguments[:4]]
    u = torch.cat([torch.zeros(1, device=place.device), arguments[4].detach().flatten()])[1:].view(HEADS, SIZE)
    assert u.data_ptr() % 16 != 0
    assert same(run(arguments), run([*turned, u.requires_grad_(), arguments[5]]))


def test_torch_knows_the_operator(place: Place) -> None:
    """Its schema, its shapes without data and its gradients, as `torch.compile` relies on them."""
    torch.library.opcheck(torch.ops.radio.wkv6_forward.default, (*drawn(place, 5), True))


def test_what_does_not_fit_is_refused() -> None:
    one = Place("cpu", None)  # type: ignore[arg-type]
    r, k, v, log_w, u, state = drawn(one, 3)
    with pytest.raises(ValueError, match=r"k is \(2, 2, 2, 64\), where r makes it \(2, 3, 2, 64\)"):
        wkv6_cuda(r, k[:, :2], v, log_w, u, state)
    with pytest.raises(ValueError, match=r"where \(batch, tokens, heads, 64\) is needed"):
        wkv6_cuda(r[..., :32], k, v, log_w, u, state)
    with pytest.raises(
        ValueError, match=r"float32, torch\.float64, torch\.float32; all must be float32, or all bfloat16"
    ):
        wkv6_cuda(r, k.double(), v, log_w, u, state)
    with pytest.raises(KernelError, match="tensors on cpu are not for CUDA's kernels"):
        wkv6_cuda(r, k, v, log_w, u, state)


def test_heads_are_cut_until_the_processors_have_work() -> None:
    assert [wkv6.splits(heads, 132) for heads in (8, 131, 132, 263, 264, 4096)] == [4, 4, 2, 2, 1, 1]


def test_nvcc_compiles_the_kernels(tmp_path: Path) -> None:
    if library.compiler() is None:
        pytest.skip("no nvcc on PATH or in CUDA_HOME")
    built = library.build("sm_90", tmp_path)
    assert library.build("sm_90", tmp_path) == built
    assert [path.name for path in tmp_path.iterdir()] == [built.name]
    assert Library(built).chunk == wkv6.CHUNK


def test_a_compiler_that_fails_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if library.compiler() is None:
        pytest.skip("no nvcc on PATH or in CUDA_HOME")
    with pytest.raises(KernelError, match=r"nvcc failed, .*sm_12.*: .+"):
        library.build("sm_12", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    with pytest.raises(KernelError, match="nvcc is neither on PATH nor in CUDA_HOME"):
        library.build("sm_90", tmp_path)


def test_training_takes_the_kernels_on_a_cuda_device() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    r, k, v, decay, u, state = drawn(Place("cuda", library.on_device(0)), 40)
    base = torch.randn_like(u)
    assert takes(r)
    y, after = training_wkv6(r, k, v, decay, base, u, state)
    assert same([y, after], list(wkv6_cuda(r, k, v, -(base + decay).exp(), u, state)))
