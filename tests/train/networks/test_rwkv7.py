"""RWKV-7 is initialized as in its authors' training code."""

from __future__ import annotations

import math

import pytest
import torch

from radio.model.spec.rwkv import Rwkv7Spec
from train.networks.rwkv7 import Rwkv7

SPEC = Rwkv7Spec(4, 192, 837)


@pytest.fixture(scope="module")
def fresh() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return {name: tensor.detach() for name, tensor in Rwkv7(SPEC).named_parameters()}


@pytest.mark.parametrize(
    ("width", "ranks"),
    [(64, (32, 32, 32, 32)), (192, (32, 32, 32, 64)), (512, (64, 64, 32, 128)), (2048, (128, 128, 64, 224))],
)
def test_the_low_ranks_equal_those_of_the_authors_code(width: int, ranks: tuple[int, ...]) -> None:
    spec = Rwkv7Spec(1, width, 8)
    assert (spec.decay_rank, spec.rate_rank, spec.value_rank, spec.gate_rank) == ranks


def test_the_blocks_of_a_new_model_add_nothing(fresh: dict[str, torch.Tensor]) -> None:
    """The output matrices of a new block are zero, so it adds nothing."""
    for layer in range(4):
        assert not fresh[f"blocks.{layer}.att.output.weight"].any()
        assert not fresh[f"blocks.{layer}.ffn.value.weight"].any()
        for kind in "wavg"[: 4 if layer else 2]:
            assert not fresh[f"blocks.{layer}.att.{kind}1"].any()


@pytest.mark.parametrize(
    ("name", "gain"),
    [
        ("blocks.1.att.receptance.weight", 1.0),
        ("blocks.1.att.key.weight", 0.1),
        ("blocks.1.att.value.weight", 1.0),
        ("blocks.1.att.w2", 0.1),
        ("blocks.1.att.g2", 0.1),
        ("blocks.1.ffn.key.weight", 1.0),
        ("head.weight", 0.5 * math.sqrt(837 / 192)),
    ],
)
def test_matrices_are_orthogonal(fresh: dict[str, torch.Tensor], name: str, gain: float) -> None:
    matrix = fresh[name] if fresh[name].shape[0] <= fresh[name].shape[1] else fresh[name].T
    torch.testing.assert_close(matrix @ matrix.T, gain**2 * torch.eye(len(matrix)), atol=1e-5, rtol=1e-5)


def test_vectors_follow_the_authors_curves(fresh: dict[str, torch.Tensor]) -> None:
    """The values are computed by hand from RWKV-LM's formulas, at the ends of a head and of the width."""
    first, last = (
        {
            kind: fresh[f"blocks.{layer}.att.{kind}"].flatten()
            for kind in ("w0", "a0", "k_k", "k_a", "r_k", "x_r", "x_w", "x_k")
        }
        for layer in (0, 3)
    )
    ends = [0, 63, 64, 191]
    # −6 + 6·n/191 + 0.5 ± 2.5: the first layer's curve is a line, the last one's a parabola
    assert first["w0"][ends].tolist() == pytest.approx([-8, -1.02094, -5.98953, 3.0], abs=1e-4)
    assert last["w0"][ends].tolist() == pytest.approx([-8, -2.34721, -7.32633, 3.0], abs=1e-4)
    assert first["a0"][ends].tolist() == pytest.approx([-0.69, 0.041937, -0.555969, 0.31], abs=1e-4)
    assert first["k_k"][[0, 191]].tolist() == pytest.approx([0.76, 0.66], abs=1e-5)
    assert first["k_a"].unique().item() == pytest.approx(1.02)
    assert last["r_k"].unique().item() == pytest.approx(-0.04)
    assert first["x_w"][96].item() == pytest.approx(1 - 0.5**0.9, abs=1e-5)
    assert last["x_r"][96].item() == pytest.approx(1 - 0.5 ** (0.2 / 4), abs=1e-5)
    assert last["x_k"][[0, 96]].tolist() == pytest.approx([1, 1 - 0.5 ** (0.7 / 4)], abs=1e-5)
    assert fresh["blocks.2.ffn.x_k"].flatten()[96].item() == pytest.approx(1 - 0.5 ** (0.5**4), abs=1e-5)
    assert fresh["blocks.1.att.v0"].flatten()[[0, 191]].tolist() == pytest.approx([0.93, 0.53], abs=1e-5)
    assert fresh["blocks.2.att.ln_x.weight"].unique().item() == pytest.approx(0.75**0.7)


def test_every_parameter_learns() -> None:
    """If no matrix is zero, every parameter gets a gradient."""
    torch.manual_seed(3)
    model = Rwkv7(Rwkv7Spec(2, 64, 40))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    logits, state = model(torch.randint(40, (2, 37)), model.zero_state(2))
    (logits.square().mean() + sum(layer[2].square().mean() for layer in state)).backward()
    assert [name for name, parameter in model.named_parameters() if not parameter.grad.abs().max() > 0] == []
