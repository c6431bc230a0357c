from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from radio.errors import SettingsError
from radio.model.spec.rwkv import Rwkv6Spec
from tests.model.models import random_network
from train.networks.base import Model
from train.networks.recompute import recompute_blocks


def gradients(model: Model) -> tuple[dict[str, Tensor], int]:
    """Return the gradients of a step, and the bytes stored to compute them."""
    stored: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        stored[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    rows = torch.randint(0, 300, (2, 64), generator=torch.Generator().manual_seed(0))
    model.zero_grad()
    torch.manual_seed(3)  # dropout
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        logits, state = model(rows, model.zero_state(2))
        loss = logits.square().mean() + sum(tensor.square().mean() for layer in state for tensor in layer)
    loss.backward()
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    memory = sum(size for place, size in stored.items() if place not in parameters)
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}, memory


def test_recomputation_gives_bit_identical_gradients_in_less_memory() -> None:
    model = random_network(Rwkv6Spec(4, 64, 300, dropout=0.2)).train()
    expected, plain = gradients(model)
    recompute_blocks(model)
    actual, little = gradients(model)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient, rtol=0, atol=0, msg=name)
    assert little < plain / 5


def test_a_model_without_blocks_is_an_error() -> None:
    with pytest.raises(SettingsError, match="Linear has no blocks"):
        recompute_blocks(nn.Linear(2, 2))
