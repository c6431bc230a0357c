"""The training operators in C against PyTorch references, outputs and all gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from kernels import cpu_train
from kernels.cpu_train import library
from kernels.wkv6_naive import wkv6_naive
from kernels.wkv7_naive import wkv7_naive
from radio.model.spec.rwkv import Rwkv6Spec, Rwkv7Spec, Spec
from tests.model.models import random_network
from train.operators.wkv6 import wkv6

BATCH, HEADS, SIZE = 2, 3, 64
WIDTH = HEADS * SIZE

pytestmark = pytest.mark.skipif(not cpu_train.available(), reason=cpu_train.missing_reason())


def wkv6_inputs(length: int, dtype: torch.dtype = torch.float32, *, decay: float = -1.0) -> list[Tensor]:
    """Return r, k, v, decay, base, u, state."""
    torch.manual_seed(length)
    tokens = [torch.randn(BATCH, length, HEADS, SIZE).to(dtype) for _ in range(4)]
    base, u = torch.randn(HEADS, SIZE) + decay, torch.randn(HEADS, SIZE)
    return [*tokens, base, u, torch.randn(BATCH, HEADS, SIZE, SIZE)]


def wkv6_reference(
    r: Tensor, k: Tensor, v: Tensor, decay: Tensor, base: Tensor, *rest: Tensor
) -> tuple[Tensor, Tensor]:
    return wkv6_naive(r, k, v, -(base + decay).exp(), *rest)


def results(
    operator: Callable[..., Sequence[Tensor]], inputs: Sequence[Tensor], weights: Sequence[Tensor]
) -> list[Tensor]:
    """Return the outputs of `operator`, then the gradients of their weighted sum for all inputs."""
    leaves = [tensor.detach().requires_grad_() for tensor in inputs]
    outputs = operator(*leaves)
    loss = torch.stack([(out * weight.to(out.dtype)).sum() for out, weight in zip(outputs, weights, strict=True)]).sum()
    return [*(out.detach() for out in outputs), *torch.autograd.grad(loss, leaves)]


def error(actual: Tensor, expected: Tensor) -> float:
    """Return the largest difference relative to the largest value."""
    return float((actual.double() - expected).abs().max() / expected.abs().max())


def wkv7_inputs(length: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Return r, log_w, k, v, a, b, state in the ranges of RWKV-7: a = −κ̂, b = κ̂ ⊙ rate."""
    torch.manual_seed(length)
    r, k, v, removed = (torch.randn(BATCH, length, HEADS, SIZE) for _ in range(4))
    removed = torch.nn.functional.normalize(removed, dim=-1)
    log_w, rate = -0.6 * torch.rand(r.shape), torch.rand(r.shape)
    return [*(x.to(dtype) for x in (r, log_w, k, v, -removed, removed * rate)), torch.randn(BATCH, HEADS, SIZE, SIZE)]


OPERATORS: dict[str, tuple[Callable[..., list[Tensor]], Callable[..., Any], Callable[..., Any]]] = {
    "wkv6": (wkv6_inputs, cpu_train.wkv6, wkv6_reference),
    "wkv7": (wkv7_inputs, cpu_train.wkv7, wkv7_naive),
}
"""Function for the inputs, the operator in C, and the reference."""

all_operators = pytest.mark.parametrize("name", list(OPERATORS))


def weights_for(length: int) -> list[Tensor]:
    return [torch.randn(BATCH, length, HEADS, SIZE), torch.randn(BATCH, HEADS, SIZE, SIZE)]


@all_operators
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("length", [1, 7, 17, 70])
def test_wkv_agrees_with_the_reference_in_outputs_and_gradients(name: str, length: int, dtype: torch.dtype) -> None:
    make_inputs, native, reference = OPERATORS[name]
    inputs, weights = make_inputs(length, dtype), weights_for(length)
    actual = results(native, inputs, weights)
    expected = results(reference, [tensor.double() for tensor in inputs], weights)
    gradients = 2 + sum(
        tensor.dtype == torch.bfloat16 for tensor in inputs
    )  # those of bfloat16 inputs come first and are rounded
    for index, (output, expected_output) in enumerate(zip(actual, expected, strict=True)):
        assert error(output, expected_output) < (2**-8 if 2 <= index < gradients else 2e-6), index


@pytest.mark.parametrize("decay", [-20.0, 2.0, 4.0])
def test_wkv6_is_exact_for_extreme_decays(decay: float) -> None:
    inputs, weights = wkv6_inputs(40, decay=decay), weights_for(40)
    actual = results(cpu_train.wkv6, inputs, weights)
    for output, expected in zip(
        actual, results(wkv6_reference, [tensor.double() for tensor in inputs], weights), strict=True
    ):
        assert error(output, expected) < 1e-5


@all_operators
@pytest.mark.parametrize("cut", [1, 50, 64])
def test_two_wkv_windows_equal_one_in_outputs_and_gradients(name: str, cut: int) -> None:
    make_inputs, native, _ = OPERATORS[name]

    def halves(*inputs: Tensor) -> tuple[Tensor, Tensor]:
        *rest, state = inputs
        first, middle = native(*(x[:, :cut] if x.ndim == 4 else x for x in rest), state)
        second, after = native(*(x[:, cut:] if x.ndim == 4 else x for x in rest), middle)
        return torch.cat([first, second], dim=1), after

    inputs, weights = make_inputs(100), weights_for(100)
    for whole, joined in zip(results(native, inputs, weights), results(halves, inputs, weights), strict=True):
        torch.testing.assert_close(joined, whole, rtol=1e-4, atol=1e-4)


@all_operators
def test_wkv_does_not_depend_on_threads_or_memory_contents(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_inputs, native, _ = OPERATORS[name]
    inputs, weights = make_inputs(70, torch.bfloat16), weights_for(70)
    first = results(native, inputs, weights)
    threads, empty, empty_like = torch.get_num_threads(), torch.empty, torch.empty_like
    torch.set_num_threads(3)
    monkeypatch.setattr(torch, "empty", lambda *args, **kwargs: empty(*args, **kwargs).fill_(float("nan")))
    monkeypatch.setattr(torch, "empty_like", lambda *args, **kwargs: empty_like(*args, **kwargs).fill_(float("nan")))
    try:
        second = results(native, inputs, weights)
    finally:
        torch.set_num_threads(threads)
    for output, expected in zip(second, first, strict=True):
        torch.testing.assert_close(output, expected, rtol=0, atol=0)


def test_unsupported_tensors_are_reported() -> None:
    assert cpu_train.supports_wkv(torch.zeros(1, 1, 1, 64, dtype=torch.bfloat16))
    assert not cpu_train.supports_wkv(torch.zeros(1, 1, 1, 32))
    assert not cpu_train.supports_wkv(torch.zeros(1, 1, 1, 64, dtype=torch.float64))
    with pytest.raises(ValueError, match="contiguous"):
        library.call("wkv6_forward", torch.zeros(2, 2).T)


@pytest.mark.parametrize(
    ("compiler", "message"), [("/nowhere/cc", "No such file"), ("false", "false failed"), ("", "no C compiler")]
)
def test_without_a_compiler_training_uses_pytorch(
    compiler: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = wkv6_inputs(20)
    native, _ = wkv6(*inputs)
    monkeypatch.setenv("CC", compiler)
    if not compiler:
        monkeypatch.setenv("PATH", str(tmp_path))
    library.load_library.cache_clear()
    try:
        assert message in cpu_train.missing_reason()
        with pytest.raises(RuntimeError, match=message):
            cpu_train.wkv6(*inputs)
        fallback, _ = wkv6(*inputs)
    finally:
        library.load_library.cache_clear()
    torch.testing.assert_close(fallback, native, rtol=1e-3, atol=1e-3)


def shift_reference(x: Tensor, last: Tensor, maa: Tensor, offsets: Tensor | None = None) -> list[Tensor]:
    previous = torch.cat([last[:, None], x[:, :-1]], dim=1)
    shares = [share if offsets is None else share + offsets[mix] for mix, share in enumerate(maa)]
    return [x + (previous - x) * share for share in shares]


def norm_reference(y: Tensor, gate: Tensor, weight: Tensor, bias: Tensor) -> list[Tensor]:
    centered = y - y.mean(dim=-1, keepdim=True)
    normed = centered / (centered.square().mean(dim=-1, keepdim=True) + 64e-5).sqrt()
    return [(normed.flatten(2) * weight + bias) * gate * torch.sigmoid(gate)]


def mix_cases(
    length: int, dtype: torch.dtype
) -> dict[str, tuple[list[Tensor], Callable[..., Any], Callable[..., Any]]]:
    """Return the inputs of each operator, the operator in C, and the reference in PyTorch."""
    torch.manual_seed(length)
    x, last, maa = torch.randn(BATCH, length, WIDTH), torch.randn(BATCH, WIDTH), torch.randn(5, WIDTH)
    first, second = (torch.randn(BATCH, length, WIDTH).to(dtype) for _ in range(2))
    offsets = torch.randn(5, BATCH, length, WIDTH).to(dtype)
    norm = [torch.randn(BATCH, length, HEADS, SIZE), first, torch.randn(WIDTH), torch.randn(WIDTH)]
    return {
        "token_shift": (
            [x, last, maa[:2]], lambda *inputs: cpu_train.token_shift(*inputs, None, dtype), shift_reference,
        ),
        "token_shift with offsets": (
            [x, last, maa, offsets], lambda *inputs: cpu_train.token_shift(*inputs, dtype), shift_reference,
        ),
        "gated_norm": (norm, lambda *inputs: [cpu_train.gated_norm(*inputs, 64e-5)], norm_reference),
        "squared_relu": ([first], lambda x: [cpu_train.squared_relu(x)], lambda x: [torch.relu(x).square()]),
        "sigmoid_gate": (
            [first, second], lambda *inputs: [cpu_train.sigmoid_gate(*inputs)], lambda g, v: [torch.sigmoid(g) * v],
        ),
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("length", [1, 37])
@pytest.mark.parametrize("name", list(mix_cases(1, torch.float32)))
def test_mixes_agree_with_pytorch_in_outputs_and_gradients(name: str, length: int, dtype: torch.dtype) -> None:
    inputs, native, reference = mix_cases(length, dtype)[name]
    weights = [torch.randn(out.shape) for out in native(*inputs)]
    actual = results(native, inputs, weights)
    expected = results(reference, [tensor.double() for tensor in inputs], weights)
    for index, (output, expected_output) in enumerate(zip(actual, expected, strict=True)):
        # the weights, the gradient of a bfloat16 output, are rounded too
        assert error(output, expected_output) < (2**-7 if dtype == torch.bfloat16 else 2e-6), index


def test_nan_inputs_give_nan_outputs() -> None:
    for name, (inputs, native, _) in mix_cases(3, torch.float32).items():
        for index in range(len(inputs)):
            poisoned = [tensor.clone() for tensor in inputs]
            poisoned[index].flatten()[0] = float("nan")
            assert any(out.isnan().any() for out in native(*poisoned)), (name, index)
    for name, (make_inputs, native, _) in OPERATORS.items():
        for index in range(7):
            poisoned = make_inputs(3)
            poisoned[index].flatten()[0] = float("nan")
            assert any(out.isnan().any() for out in native(*poisoned)), (name, index)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("spec", [Rwkv6Spec(2, 128, 50), Rwkv7Spec(2, 128, 50)], ids=lambda spec: spec.architecture)
def test_a_training_step_agrees_with_pytorch(
    spec: Spec, precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compare the logits, state and gradients of a model with the operators in C and without."""
    model = random_network(spec).train()
    rows = torch.randint(0, 50, (2, 21), generator=torch.Generator().manual_seed(0))
    runs = []
    for native in (True, False):
        if not native:
            monkeypatch.setattr(cpu_train, "supports_elementwise", lambda *_: False)
            monkeypatch.setattr(cpu_train, "supports_wkv", lambda *_: False)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            logits, state = model(rows, model.zero_state(2))
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), rows.flatten())
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        runs.append([logits.detach(), *(tensor.detach() for layer in state for tensor in layer), *gradients])
    for output, expected in zip(*runs, strict=True):
        assert error(output, expected.double()) < (0.05 if precision == torch.bfloat16 else 1e-4)
