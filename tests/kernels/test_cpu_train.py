"""Training's operators in C against the plain recurrence, outputs and all gradients."""

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
    """r, k, v, decay, base, u, state."""
    torch.manual_seed(length)
    tokens = [torch.randn(BATCH, length, HEADS, SIZE).to(dtype) for _ in range(4)]
    base, u = torch.randn(HEADS, SIZE) + decay, torch.randn(HEADS, SIZE)
    return [*tokens, base, u, torch.randn(BATCH, HEADS, SIZE, SIZE)]


def wkv6_plain(r: Tensor, k: Tensor, v: Tensor, decay: Tensor, base: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor]:
    return wkv6_naive(r, k, v, -(base + decay).exp(), *rest)


def results(form: Callable[..., Sequence[Tensor]], inputs: Sequence[Tensor], weights: Sequence[Tensor]) -> list[Tensor]:
    """What `form` gives, then the gradients of its weighted sum for every input."""
    leaves = [tensor.detach().requires_grad_() for tensor in inputs]
    outputs = form(*leaves)
    loss = torch.stack([(out * weight.to(out.dtype)).sum() for out, weight in zip(outputs, weights, strict=True)]).sum()
    return [*(out.detach() for out in outputs), *torch.autograd.grad(loss, leaves)]


def error(found: Tensor, expected: Tensor) -> float:
    """The largest difference, as a part of the largest value."""
    return float((found.double() - expected).abs().max() / expected.abs().max())


def wkv7_inputs(length: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """r, log_w, k, v, a, b, state, in RWKV-7's ranges: a = −κ̂, b = κ̂ ⊙ rate."""
    torch.manual_seed(length)
    r, k, v, under = (torch.randn(BATCH, length, HEADS, SIZE) for _ in range(4))
    under = torch.nn.functional.normalize(under, dim=-1)
    log_w, rate = -0.6 * torch.rand(r.shape), torch.rand(r.shape)
    return [*(x.to(dtype) for x in (r, log_w, k, v, -under, under * rate)), torch.randn(BATCH, HEADS, SIZE, SIZE)]


OPERATORS: dict[str, tuple[Callable[..., list[Tensor]], Callable[..., Any], Callable[..., Any]]] = {
    "wkv6": (wkv6_inputs, cpu_train.wkv6, wkv6_plain),
    "wkv7": (wkv7_inputs, cpu_train.wkv7, wkv7_naive),
}
"""Inputs, the operator in C, and the recurrence."""

named = pytest.mark.parametrize("name", list(OPERATORS))


def weights_for(length: int) -> list[Tensor]:
    return [torch.randn(BATCH, length, HEADS, SIZE), torch.randn(BATCH, HEADS, SIZE, SIZE)]


@named
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("length", [1, 7, 17, 70])
def test_wkv_is_the_recurrence_gradients_too(name: str, length: int, dtype: torch.dtype) -> None:
    made, native, plain = OPERATORS[name]
    inputs, weights = made(length, dtype), weights_for(length)
    found = results(native, inputs, weights)
    expected = results(plain, [tensor.double() for tensor in inputs], weights)
    gradients = 2 + sum(tensor.dtype == torch.bfloat16 for tensor in inputs)  # they come first, rounded as their inputs
    for place, (ours, right) in enumerate(zip(found, expected, strict=True)):
        assert error(ours, right) < (2**-8 if 2 <= place < gradients else 2e-6), place


@pytest.mark.parametrize("decay", [-20.0, 2.0, 4.0])
def test_wkv6_is_exact_whether_it_keeps_all_or_nothing(decay: float) -> None:
    inputs, weights = wkv6_inputs(40, decay=decay), weights_for(40)
    found = results(cpu_train.wkv6, inputs, weights)
    for ours, plain in zip(found, results(wkv6_plain, [tensor.double() for tensor in inputs], weights), strict=True):
        assert error(ours, plain) < 1e-5


@named
@pytest.mark.parametrize("cut", [1, 50, 64])
def test_wkv_in_two_windows_is_one_gradients_too(name: str, cut: int) -> None:
    made, native, _ = OPERATORS[name]

    def halves(*inputs: Tensor) -> tuple[Tensor, Tensor]:
        *rest, state = inputs
        first, middle = native(*(x[:, :cut] if x.ndim == 4 else x for x in rest), state)
        second, after = native(*(x[:, cut:] if x.ndim == 4 else x for x in rest), middle)
        return torch.cat([first, second], dim=1), after

    inputs, weights = made(100), weights_for(100)
    for whole, cut_up in zip(results(native, inputs, weights), results(halves, inputs, weights), strict=True):
        torch.testing.assert_close(cut_up, whole, rtol=1e-4, atol=1e-4)


@named
def test_wkv_is_the_same_to_the_bit_whatever_threads_compute_it_and_memory_held(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, native, _ = OPERATORS[name]
    inputs, weights = made(70, torch.bfloat16), weights_for(70)
    once = results(native, inputs, weights)
    threads, empty, empty_like = torch.get_num_threads(), torch.empty, torch.empty_like
    torch.set_num_threads(3)
    monkeypatch.setattr(torch, "empty", lambda *args, **more: empty(*args, **more).fill_(float("nan")))
    monkeypatch.setattr(torch, "empty_like", lambda *args, **more: empty_like(*args, **more).fill_(float("nan")))
    try:
        again = results(native, inputs, weights)
    finally:
        torch.set_num_threads(threads)
    for one, other in zip(once, again, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=0)


def test_what_an_operator_cannot_read_is_left_to_pytorch() -> None:
    assert cpu_train.takes(torch.zeros(1, 1, 1, 64, dtype=torch.bfloat16))
    assert not cpu_train.takes(torch.zeros(1, 1, 1, 32))
    assert not cpu_train.takes(torch.zeros(1, 1, 1, 64, dtype=torch.float64))
    with pytest.raises(ValueError, match="contiguous"):
        library.call("wkv6_forward", torch.zeros(2, 2).T)


@pytest.mark.parametrize(
    ("compiler", "said"), [("/nowhere/cc", "No such file"), ("false", "false failed"), ("", "no C compiler")]
)
def test_without_a_compiler_training_goes_on_in_pytorch(
    compiler: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = wkv6_inputs(20)
    native, _ = wkv6(*inputs)
    monkeypatch.setenv("CC", compiler)
    if not compiler:
        monkeypatch.setenv("PATH", str(tmp_path))
    library.opened.cache_clear()
    try:
        assert said in cpu_train.missing_reason()
        with pytest.raises(RuntimeError, match=said):
            cpu_train.wkv6(*inputs)
        plain, _ = wkv6(*inputs)
    finally:
        library.opened.cache_clear()
    torch.testing.assert_close(plain, native, rtol=1e-3, atol=1e-3)


def shift_plain(x: Tensor, last: Tensor, maa: Tensor, offsets: Tensor | None = None) -> list[Tensor]:
    before = torch.cat([last[:, None], x[:, :-1]], dim=1)
    shares = [share if offsets is None else share + offsets[mix] for mix, share in enumerate(maa)]
    return [x + (before - x) * share for share in shares]


def norm_plain(y: Tensor, gate: Tensor, weight: Tensor, bias: Tensor) -> list[Tensor]:
    centred = y - y.mean(dim=-1, keepdim=True)
    normed = centred / (centred.square().mean(dim=-1, keepdim=True) + 64e-5).sqrt()
    return [(normed.flatten(2) * weight + bias) * gate * torch.sigmoid(gate)]


def mix_cases(
    length: int, dtype: torch.dtype
) -> dict[str, tuple[list[Tensor], Callable[..., Any], Callable[..., Any]]]:
    """Of each operator: inputs, what it is in C, what it is in PyTorch; each form gives a sequence of tensors."""
    torch.manual_seed(length)
    x, last, maa = torch.randn(BATCH, length, WIDTH), torch.randn(BATCH, WIDTH), torch.randn(5, WIDTH)
    wide, other = (torch.randn(BATCH, length, WIDTH).to(dtype) for _ in range(2))
    offsets = torch.randn(5, BATCH, length, WIDTH).to(dtype)
    norm = [torch.randn(BATCH, length, HEADS, SIZE), wide, torch.randn(WIDTH), torch.randn(WIDTH)]
    return {
        "token_shift": (
            [x, last, maa[:2]], lambda *given: cpu_train.token_shift(*given, None, dtype), shift_plain,
        ),
        "token_shift with offsets": (
            [x, last, maa, offsets], lambda *given: cpu_train.token_shift(*given, dtype), shift_plain,
        ),
        "gated_norm": (norm, lambda *given: [cpu_train.gated_norm(*given, 64e-5)], norm_plain),
        "squared_relu": ([wide], lambda x: [cpu_train.squared_relu(x)], lambda x: [torch.relu(x).square()]),
        "sigmoid_gate": (
            [wide, other], lambda *given: [cpu_train.sigmoid_gate(*given)], lambda g, v: [torch.sigmoid(g) * v],
        ),
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("length", [1, 37])
@pytest.mark.parametrize("name", list(mix_cases(1, torch.float32)))
def test_each_mix_is_pytorchs_gradients_too(name: str, length: int, dtype: torch.dtype) -> None:
    inputs, native, plain = mix_cases(length, dtype)[name]
    weights = [torch.randn(out.shape) for out in native(*inputs)]
    found = results(native, inputs, weights)
    expected = results(plain, [tensor.double() for tensor in inputs], weights)
    for place, (ours, right) in enumerate(zip(found, expected, strict=True)):
        # the weights, which are a bfloat16 output's gradient, are rounded to it as well
        assert error(ours, right) < (2**-7 if dtype == torch.bfloat16 else 2e-6), place


def test_what_is_not_a_number_stays_seen() -> None:
    for name, (inputs, native, _) in mix_cases(3, torch.float32).items():
        for place in range(len(inputs)):
            poisoned = [tensor.clone() for tensor in inputs]
            poisoned[place].flatten()[0] = float("nan")
            assert any(out.isnan().any() for out in native(*poisoned)), (name, place)
    for name, (made, native, _) in OPERATORS.items():
        for place in range(7):
            poisoned = made(3)
            poisoned[place].flatten()[0] = float("nan")
            assert any(out.isnan().any() for out in native(*poisoned)), (name, place)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("spec", [Rwkv6Spec(2, 128, 50), Rwkv7Spec(2, 128, 50)], ids=lambda spec: spec.architecture)
def test_a_models_training_step_is_pytorchs(
    spec: Spec, precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every operator where the model uses it: logits, state and gradients with them and without."""
    model = random_network(spec).train()
    rows = torch.randint(0, 50, (2, 21), generator=torch.Generator().manual_seed(0))
    seen = []
    for native in (True, False):
        if not native:
            monkeypatch.setattr(cpu_train, "serves", lambda *_: False)
            monkeypatch.setattr(cpu_train, "takes", lambda *_: False)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            logits, state = model(rows, model.zero_state(2))
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), rows.flatten())
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        seen.append([logits.detach(), *(tensor.detach() for layer in state for tensor in layer), *gradients])
    for ours, plain in zip(*seen, strict=True):
        assert error(ours, plain.double()) < (0.05 if precision == torch.bfloat16 else 1e-4)
