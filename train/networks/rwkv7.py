"""RWKV-7 (x070) in its parallel form, for training.

Source: Peng et al., "RWKV-7 Goose with Expressive Dynamic State Evolution", arXiv 2503.14456, section 4; parameter
names and initial values as in the authors' training code (RWKV-LM, RWKV-v7/train_temp), so that other RWKV-7
runtimes can read an exported checkpoint.
Shapes: B batch, T tokens, C width, H heads of size N = 64, V tokens known to the model.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from radio.model.spec.rwkv import HEAD_SIZE, Rwkv7Spec
from train.networks.base import State
from train.networks.rwkv import GROUP_NORM_EPS, LayerState, Rwkv, RwkvBlock
from train.operators.elementwise import squared_relu, token_shift
from train.operators.wkv7 import wkv7

STRONGEST_DECAY = -0.606531
"""−e^(−1/2): the logarithm of the strongest decay per token (section 4.1, equation 12)."""


def low_rank(width: int, rank: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Return two matrices (C, rank) and (rank, C), initialized to a product of zero."""
    second = torch.empty(rank, width)
    nn.init.orthogonal_(second, gain=0.1 * max(1.0, rank / width) ** 0.5)
    return nn.Parameter(torch.zeros(width, rank)), nn.Parameter(second)


class TimeMix(nn.Module):
    """Time mix, which replaces attention: each token decays the state, corrects it at one key, and adds at another.

    The layers above the first mix their values with those of the first layer.
    """

    def __init__(self, spec: Rwkv7Spec, layer: int) -> None:
        super().__init__()
        width, depth = spec.width, spec.layers
        self.heads, self.first = spec.heads, layer == 0
        ratio_0_to_1 = layer / max(1, depth - 1)
        ratio_1_to_0 = 1.0 - layer / depth
        ramp = (torch.arange(width) / width)[None, None]
        self.x_r = nn.Parameter(1.0 - ramp ** (0.2 * ratio_1_to_0))
        self.x_w = nn.Parameter(1.0 - ramp ** (0.9 * ratio_1_to_0))
        self.x_k = nn.Parameter(1.0 - ramp ** (0.7 * ratio_1_to_0))
        self.x_v = nn.Parameter(1.0 - ramp ** (0.7 * ratio_1_to_0))
        self.x_a = nn.Parameter(1.0 - ramp ** (0.9 * ratio_1_to_0))
        self.x_g = nn.Parameter(1.0 - ramp ** (0.2 * ratio_1_to_0))
        place = (torch.arange(width) / (width - 1))[None, None]
        in_head = torch.arange(width) % HEAD_SIZE / ((HEAD_SIZE - 1) / 2) - 1  # −1 to 1 in each head
        zigzag, slope = in_head * in_head.abs(), place - 0.5
        self.w0 = nn.Parameter(-5.5 + 6 * place ** (1 + ratio_0_to_1**0.3) + 2.5 * zigzag)
        self.w1, self.w2 = low_rank(width, spec.decay_rank)
        self.a0 = nn.Parameter(-0.19 + 0.3 * zigzag + 0.4 * slope)
        self.a1, self.a2 = low_rank(width, spec.rate_rank)
        if not self.first:
            self.v0 = nn.Parameter(0.73 - 0.4 * slope)
            self.v1, self.v2 = low_rank(width, spec.value_rank)
        self.g1, self.g2 = low_rank(width, spec.gate_rank)
        self.k_k = nn.Parameter(0.71 - 0.1 * slope)
        self.k_a = nn.Parameter(torch.full((1, 1, width), 1.02))
        self.r_k = nn.Parameter(torch.full((self.heads, HEAD_SIZE), -0.04))
        self.receptance = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.ln_x = nn.GroupNorm(self.heads, width, eps=GROUP_NORM_EPS)
        nn.init.orthogonal_(self.receptance.weight)
        nn.init.orthogonal_(self.key.weight, gain=0.1)
        nn.init.orthogonal_(self.value.weight)
        nn.init.zeros_(self.output.weight)
        nn.init.constant_(self.ln_x.weight, ((1 + layer) / depth) ** 0.7)

    def forward(self, x: Tensor, last: Tensor, wkv: Tensor, first_v: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Map inputs to outputs (B, T, C), WKV state and the first layer's values (B, T, C).

        Args:
            x: (B, T, C).
            last: (B, C), the input before the first one.
            wkv: (B, H, N, N).
            first_v: (B, T, C), the first layer's values; None in the first layer.
        """
        batch, length, width = x.shape
        shares = torch.cat([self.x_r, self.x_w, self.x_k, self.x_v, self.x_a, self.x_g])
        xr, xw, xk, xv, xa, xg = token_shift(x, last, shares.view(6, width))
        r, k, v = self.receptance(xr), self.key(xk), self.value(xv)
        decay = self.w0 + torch.tanh(xw @ self.w1) @ self.w2
        rate = torch.sigmoid(self.a0 + (xa @ self.a1) @ self.a2)  # the share of the key's old value to remove
        gate = torch.sigmoid(xg @ self.g1) @ self.g2
        if first_v is None:
            first_v = v
        else:
            v = torch.lerp(v.float(), first_v.float(), torch.sigmoid(self.v0 + (xv @ self.v1) @ self.v2).float())

        heads = (batch, length, self.heads, HEAD_SIZE)
        with torch.autocast(x.device.type, enabled=False):  # the recurrence sums over the whole past: float32
            r, k, v, rate = r.float().view(heads), k.float(), v.float().view(heads), rate.float()
            log_w = STRONGEST_DECAY * torch.sigmoid(decay.float())
            removal_key = functional.normalize((k * self.k_k).view(heads), dim=-1)
            k = torch.addcmul(k, k, (rate - 1) * self.k_a).view(heads)
            y, wkv = wkv7(r, log_w.view(heads), k, v, -removal_key, removal_key * rate.view(heads), wkv)
            own = (r * k * self.r_k).sum(dim=-1, keepdim=True) * v  # the token's own value, not from the state
        y = self.ln_x(y.reshape(batch * length, width)).view(batch, length, width) + own.view(batch, length, width)
        return self.output(y * gate), wkv, first_v


class ChannelMix(nn.Module):
    """Channel mix, the feed-forward part: a squared ReLU."""

    def __init__(self, spec: Rwkv7Spec, layer: int) -> None:
        super().__init__()
        ramp = (torch.arange(spec.width) / spec.width)[None, None]
        self.x_k = nn.Parameter(1.0 - ramp ** ((1.0 - layer / spec.layers) ** 4))
        self.key = nn.Linear(spec.width, spec.hidden, bias=False)
        self.value = nn.Linear(spec.hidden, spec.width, bias=False)
        nn.init.orthogonal_(self.key.weight)
        nn.init.zeros_(self.value.weight)

    def forward(self, x: Tensor, last: Tensor) -> Tensor:
        (mixed,) = token_shift(x, last, self.x_k.view(1, -1))
        out: Tensor = self.value(squared_relu(self.key(mixed)))
        return out


class Block(RwkvBlock):
    """A layer whose mixes are added to the residual stream."""

    att: TimeMix
    ffn: ChannelMix

    def __init__(self, spec: Rwkv7Spec, layer: int) -> None:
        super().__init__(spec, layer, TimeMix(spec, layer), ChannelMix(spec, layer))

    def forward(self, x: Tensor, state: LayerState, first_v: Tensor | None) -> tuple[Tensor, LayerState, Tensor]:
        if self.first:
            x = self.ln0(x)
        att_in = self.ln1(x)
        att_out, wkv, first_v = self.att(att_in, state.att_shift, state.wkv, first_v)
        x = x + self.drop(att_out)
        ffn_in = self.ln2(x)
        x = x + self.drop(self.ffn(ffn_in, state.ffn_shift))
        return x, LayerState(att_in[:, -1], ffn_in[:, -1], wkv), first_v


class Rwkv7(Rwkv):
    """RWKV-7 in its parallel form."""

    def __init__(self, spec: Rwkv7Spec) -> None:
        super().__init__(spec, partial(Block, spec))

    def forward(self, rows: Tensor, state: State) -> tuple[Tensor, State]:
        x, first_v = self.emb(rows), None
        after: State = []
        for block, before in zip(self.blocks, state, strict=True):
            x, block_state, first_v = block(x, LayerState(*before), first_v)
            after.append(block_state)
        return self.head(self.ln_out(x)), after
