"""RWKV-6's training in plain PyTorch, as the baseline for our training step.

It computes in float32 with PyTorch's individual operators, and the recurrence in chunks. It uses the parameters of our
model, so both compute the same function of the same weights.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from radio.model.spec.rwkv import HEAD_SIZE
from train.networks.base import State, detach
from train.networks.rwkv import LayerState
from train.networks.rwkv6 import Block, ChannelMix, Rwkv6, TimeMix
from train.operators.wkv6 import wkv6_chunked


class PlainStep:
    """A training step of `model` with the loss over all targets, AdamW, and gradients clipped to a norm of 1."""

    def __init__(self, model: Rwkv6) -> None:
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)

    def __call__(self, rows: Tensor, state: State) -> tuple[float, State]:
        """Take a step; return the loss in nats and the state after `rows` (B, T + 1)."""
        logits, state = logits_of(self.model, rows[:, :-1], state)
        loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return float(loss.detach()), detach(state)


def logits_of(model: Rwkv6, rows: Tensor, state: State) -> tuple[Tensor, State]:
    """Return the logits and the state, like the model's own `forward`."""
    x, after = model.emb(rows), []
    for module, before in zip(model.blocks, state, strict=True):
        x, block_state = _block(module, x, LayerState(*before))  # type: ignore[arg-type]
        after.append(block_state)
    return model.head(model.ln_out(x)), list(after)


def _shift(x: Tensor, last: Tensor) -> Tensor:
    return torch.cat([last[:, None], x[:, :-1]], dim=1)


def _block(block: Block, x: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
    if block.first:
        x = block.ln0(x)
    att_in = block.ln1(x)
    att_out, wkv = _time_mix(block.att, att_in, state.att_shift, state.wkv)
    x = x + att_out
    ffn_in = block.ln2(x)
    x = x + _channel_mix(cast("ChannelMix", block.ffn), ffn_in, state.ffn_shift)
    return x, LayerState(att_in[:, -1], ffn_in[:, -1], wkv)


def _time_mix(att: TimeMix, x: Tensor, last: Tensor, wkv: Tensor) -> tuple[Tensor, Tensor]:
    batch, length, width = x.shape
    heads = (batch, length, att.heads, HEAD_SIZE)
    delta = _shift(x, last) - x
    xxx = x + delta * att.time_maa_x
    xxx = torch.tanh(xxx @ att.time_maa_w1).view(batch * length, 5, -1).transpose(0, 1)
    mw, mk, mv, mr, mg = torch.bmm(xxx, att.time_maa_w2).view(5, batch, length, width).unbind(0)
    xw = x + delta * (att.time_maa_w + mw)
    xk = x + delta * (att.time_maa_k + mk)
    xv = x + delta * (att.time_maa_v + mv)
    xr = x + delta * (att.time_maa_r + mr)
    xg = x + delta * (att.time_maa_g + mg)
    r, k, v = att.receptance(xr), att.key(xk), att.value(xv)
    gate = functional.silu(att.gate(xg))
    log_w = -torch.exp(att.time_decay + torch.tanh(xw @ att.time_decay_w1) @ att.time_decay_w2)
    y, wkv = wkv6_chunked(r.view(heads), k.view(heads), v.view(heads), log_w.view(heads), att.time_faaaa, wkv)
    y = att.ln_x(y.reshape(batch * length, width)).view(batch, length, width)
    return att.output(y * gate), wkv


def _channel_mix(ffn: ChannelMix, x: Tensor, last: Tensor) -> Tensor:
    delta = _shift(x, last) - x
    xk = x + delta * ffn.time_maa_k
    xr = x + delta * ffn.time_maa_r
    k = torch.relu(ffn.key(xk)) ** 2
    out: Tensor = torch.sigmoid(ffn.receptance(xr)) * ffn.value(k)
    return out
