"""Experts: every weight learns, the loss balances their load, and a token costs as much as without them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from radio.errors import ModelError
from radio.model.engines.numpy_engines import open_numpy_engine
from radio.model.spec.experts import ExpertsSpec
from radio.model.spec.rwkv import Rwkv6Spec
from tests.model.models import random_checkpoint, random_network
from train.networks.experts import ExpertMix, Rwkv6Experts

SPECS = [ExpertsSpec(2, 64, 50), ExpertsSpec(2, 128, 50, experts=5, active=2), ExpertsSpec(1, 64, 50, experts=1)]
all_specs = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.active} of {spec.experts}")


def network(spec: ExpertsSpec) -> Rwkv6Experts:
    model = random_network(spec)
    assert isinstance(model, Rwkv6Experts)
    return model


def rows(count: int = 600) -> torch.Tensor:
    return torch.randint(0, 50, (4, count // 4), generator=torch.Generator().manual_seed(1))


@all_specs
def test_the_engine_chooses_the_same_experts_as_training(spec: ExpertsSpec) -> None:
    model, engine = network(spec), open_numpy_engine(random_checkpoint(spec))
    tokens = rows(240)[0].tolist()
    with torch.no_grad():
        expected, _ = model(torch.tensor([tokens]), model.zero_state(1))
    state = engine.zero_state()
    for token, logits in zip(tokens, expected[0].numpy(), strict=True):
        stepped, state = engine.step([token], state)
        assert stepped == pytest.approx(logits, abs=2e-4, rel=1e-3)


@all_specs
def test_every_weight_gets_a_gradient(spec: ExpertsSpec) -> None:
    model = network(spec)
    tokens = rows()
    logits, _ = model(tokens[:, :-1], model.zero_state(4))
    loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        by_expert = parameter.grad if ".ffn.key" in name or ".ffn.value" in name else parameter.grad[None]
        if spec.experts > 1 or not name.endswith("router"):  # the probability of a single expert is always 1
            assert all(bool(gradient.any()) for gradient in by_expert), name


def test_a_model_with_one_expert_equals_plain_rwkv6() -> None:
    spec = ExpertsSpec(2, 64, 50, experts=1)
    experts, plain = network(spec), random_network(Rwkv6Spec(2, 64, 50))
    weights = {name: tensor for name, tensor in experts.state_dict().items() if not name.endswith("router")}
    plain.load_state_dict(
        {name: tensor[0] if ".ffn.key" in name or ".ffn.value" in name else tensor for name, tensor in weights.items()}
    )
    with torch.no_grad():
        torch.testing.assert_close(
            experts(rows(), experts.zero_state(4))[0], plain(rows(), plain.zero_state(4))[0], atol=1e-5, rtol=1e-5
        )
    assert float(experts.imbalance()) == pytest.approx(1)


@pytest.mark.parametrize("active", [1, 2])
def test_the_loss_balances_the_experts(active: int) -> None:
    """This loss alone teaches a router that sends everything to one expert to use all of them."""
    torch.manual_seed(2)
    mix = ExpertMix(ExpertsSpec(1, 64, 50, experts=4, active=active), 0)
    x = torch.randn(8, 64, 64)
    with torch.no_grad():
        mix.time_maa_k.zero_()  # the router reads x itself
        mix.router[0] = 0.1  # and x is positive on average, so that the first expert's logit is above the others
    x, last = torch.randn(8, 64, 64) + 0.2, torch.zeros(8, 64)

    def busiest() -> float:
        """Return the share of the tokens that the most popular expert computes."""
        chosen = (x.flatten(0, 1) @ mix.router.T).topk(active).indices
        return float(torch.bincount(chosen.flatten(), minlength=4).max()) / 512

    mix(x, last)
    assert float(mix.imbalance.detach()) > 1.2
    assert busiest() > 0.8
    optimizer = torch.optim.Adam([mix.router], lr=0.005)
    for _ in range(80):
        mix(x, last)
        optimizer.zero_grad()
        mix.imbalance.backward()
        optimizer.step()
    assert float(mix.imbalance.detach()) == pytest.approx(1, abs=0.05)
    assert busiest() < 1.3 * active / 4


@pytest.mark.parametrize("active", [1, 2, 4])
def test_a_token_uses_as_many_weights_as_without_experts(active: int) -> None:
    spec, plain = ExpertsSpec(4, 256, 437, experts=8, active=active), Rwkv6Spec(4, 256, 437)
    router = spec.layers * spec.experts * spec.width
    assert spec.active_parameters - router == plain.parameters
    assert spec.parameters > spec.active_parameters
    assert plain.active_parameters == plain.parameters


def test_incompatible_sizes_are_errors() -> None:
    with pytest.raises(ModelError, match="there are 2 experts, too few for 3 active ones"):
        ExpertsSpec(1, 64, 50, experts=2, active=3)
    with pytest.raises(ModelError, match="too many active experts for this width"):
        ExpertsSpec(1, 64, 50, experts=16, active=16)
