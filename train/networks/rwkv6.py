"""RWKV-6 (x060) in its parallel form, for training.

Source: Peng et al., "Eagle and Finch", arXiv 2404.05892; parameter names and initial values as in the authors'
training code (RWKV-LM, RWKV-v5 `x060`), so that other RWKV-6 runtimes can read an exported checkpoint.
Shapes: B batch, T tokens, C width, H heads of size N = 64, V tokens known to the model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from radio.model.spec.rwkv import HEAD_SIZE, Rwkv6Base, Rwkv6Spec
from train.networks.base import State
from train.networks.rwkv import GROUP_NORM_EPS, LayerState, Rwkv, RwkvBlock
from train.operators.elementwise import gated_norm, sigmoid_gate, squared_relu, token_shift
from train.operators.wkv6 import wkv6


class TimeMix(nn.Module):
    """Time mix, which replaces attention: the WKV recurrence with data-dependent token shift and decay."""

    def __init__(self, spec: Rwkv6Base, layer: int) -> None:
        super().__init__()
        width, depth = spec.width, spec.layers
        self.heads = spec.heads
        ratio_0_to_1 = layer / max(1, depth - 1)
        ratio_1_to_0 = 1.0 - layer / depth
        ramp = (torch.arange(width) / width)[None, None]
        self.time_maa_x = nn.Parameter(1.0 - ramp**ratio_1_to_0)
        self.time_maa_w = nn.Parameter(1.0 - ramp**ratio_1_to_0)
        self.time_maa_k = nn.Parameter(1.0 - ramp**ratio_1_to_0)
        self.time_maa_v = nn.Parameter(1.0 - (ramp**ratio_1_to_0 + 0.3 * ratio_0_to_1))
        self.time_maa_r = nn.Parameter(1.0 - ramp ** (0.5 * ratio_1_to_0))
        self.time_maa_g = nn.Parameter(1.0 - ramp ** (0.5 * ratio_1_to_0))
        self.time_maa_w1 = nn.Parameter(torch.zeros(width, 5 * spec.mix_rank))
        self.time_maa_w2 = nn.Parameter(torch.empty(5, spec.mix_rank, width).uniform_(-0.01, 0.01))
        place = torch.arange(width) / (width - 1)
        self.time_decay = nn.Parameter((-6 + 5 * place ** (0.7 + 1.3 * ratio_0_to_1))[None, None])
        self.time_decay_w1 = nn.Parameter(torch.zeros(width, spec.decay_rank))
        self.time_decay_w2 = nn.Parameter(torch.empty(spec.decay_rank, width).uniform_(-0.01, 0.01))
        zigzag = ((torch.arange(width) + 1) % 3 - 1) * 0.1
        self.time_faaaa = nn.Parameter((ratio_0_to_1 * (1 - place) + zigzag).reshape(self.heads, HEAD_SIZE))
        self.receptance = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.ln_x = nn.GroupNorm(self.heads, width, eps=GROUP_NORM_EPS)
        nn.init.orthogonal_(self.receptance.weight)
        nn.init.orthogonal_(self.key.weight, gain=0.1)
        nn.init.orthogonal_(self.value.weight)
        nn.init.orthogonal_(self.gate.weight, gain=0.1)
        nn.init.zeros_(self.output.weight)
        nn.init.constant_(self.ln_x.weight, ((1 + layer) / depth) ** 0.7)

    def forward(self, x: Tensor, last: Tensor, wkv: Tensor) -> tuple[Tensor, Tensor]:
        """Map inputs (B, T, C), the input before them (B, C) and the WKV state to outputs (B, T, C) and WKV state."""
        batch, length, width = x.shape
        (xx,) = token_shift(x, last, self.time_maa_x.view(1, width))
        mixed = torch.tanh(xx @ self.time_maa_w1).view(batch * length, 5, -1).transpose(0, 1)
        offsets = torch.bmm(mixed, self.time_maa_w2).view(5, batch, length, width)
        maa = torch.cat([self.time_maa_w, self.time_maa_k, self.time_maa_v, self.time_maa_r, self.time_maa_g])
        xw, xk, xv, xr, xg = token_shift(x, last, maa.view(5, width), offsets)
        heads = (batch, length, self.heads, HEAD_SIZE)
        decay = torch.tanh(xw @ self.time_decay_w1) @ self.time_decay_w2
        r, k, v, decay = (tensor.view(heads) for tensor in (self.receptance(xr), self.key(xk), self.value(xv), decay))
        y, wkv = wkv6(r, k, v, decay, self.time_decay.view(self.heads, HEAD_SIZE), self.time_faaaa, wkv)
        return self.output(gated_norm(y, self.gate(xg), self.ln_x.weight, self.ln_x.bias, self.ln_x.eps)), wkv


def initial_shares(spec: Rwkv6Base, layer: int) -> nn.Parameter:
    """Return the share of the previous token in the inputs of a channel mix, (1, 1, C)."""
    ramp = (torch.arange(spec.width) / spec.width)[None, None]
    return nn.Parameter(1.0 - ramp ** (1.0 - layer / spec.layers))


class ChannelMix(nn.Module):
    """Channel mix, the feed-forward part: a gated squared ReLU."""

    def __init__(self, spec: Rwkv6Spec, layer: int) -> None:
        super().__init__()
        self.time_maa_k = initial_shares(spec, layer)
        self.time_maa_r = initial_shares(spec, layer)
        self.key = nn.Linear(spec.width, spec.hidden, bias=False)
        self.receptance = nn.Linear(spec.width, spec.width, bias=False)
        self.value = nn.Linear(spec.hidden, spec.width, bias=False)
        nn.init.orthogonal_(self.key.weight)
        nn.init.zeros_(self.receptance.weight)
        nn.init.zeros_(self.value.weight)

    def forward(self, x: Tensor, last: Tensor) -> Tensor:
        maa = torch.cat([self.time_maa_k, self.time_maa_r])
        xk, xr = token_shift(x, last, maa.view(2, -1))
        return sigmoid_gate(self.receptance(xr), self.value(squared_relu(self.key(xk))))


class Block(RwkvBlock):
    """A layer whose mixes are added to the residual stream."""

    att: TimeMix

    def __init__(self, spec: Rwkv6Base, layer: int, channel_mix: Callable[[int], nn.Module]) -> None:
        super().__init__(spec, layer, TimeMix(spec, layer), channel_mix(layer))

    def forward(self, x: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        if self.first:
            x = self.ln0(x)
        att_in = self.ln1(x)
        att_out, wkv = self.att(att_in, state.att_shift, state.wkv)
        x = x + self.drop(att_out)
        ffn_in = self.ln2(x)
        x = x + self.drop(self.ffn(ffn_in, state.ffn_shift))
        return x, LayerState(att_in[:, -1], ffn_in[:, -1], wkv)


class Rwkv6Network(Rwkv):
    """RWKV-6 with any channel mix."""

    def __init__(self, spec: Rwkv6Base, channel_mix: Callable[[int], nn.Module]) -> None:
        super().__init__(spec, lambda layer: Block(spec, layer, channel_mix))

    def forward(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        x = self.emb(rows)
        after: State = []
        for block, before in zip(self.blocks, state, strict=True):
            x, block_state = block(x, LayerState(*before))
            after.append(block_state)
        return self.head(self.ln_out(x)), after


class Rwkv6(Rwkv6Network):
    """RWKV-6 in its parallel form."""

    def __init__(self, spec: Rwkv6Spec) -> None:
        super().__init__(spec, partial(ChannelMix, spec))
