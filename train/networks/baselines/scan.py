"""The loops of simple RNN and GRU over time, with their gradients written out.

Torch's own take a matrix product more for each token on the way back, to sum the recurrent matrix's gradient up; here
that is one product for the whole window, and what surrounds the products is done for the whole window where it can be.
(For LSTM torch has oneDNN's loop, which needs no help.)
Shapes: T tokens, B lanes, C width; time comes first, so that a token's vectors lie together. `given` is the input's
share of each gate, biases included.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable


class RnnScan(torch.autograd.Function):
    """h_t = tanh(given_t + U h_{t-1}): given (T, B, C), U (C, C), h (B, C) → all h, (T, B, C)."""

    @staticmethod
    def forward(ctx: FunctionCtx, given: Tensor, matrix: Tensor, hidden: Tensor) -> Tensor:
        out = torch.empty_like(given)
        last, turned = hidden, matrix.t()
        for now, here in zip(given, out, strict=True):
            last = torch.addmm(now, last, turned, out=here).tanh_()
        ctx.save_for_backward(out, matrix, hidden)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, towards: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        out, matrix, hidden = ctx.saved_tensors
        slope = 1 - out.square()
        given = torch.empty_like(out)
        carried = torch.zeros_like(hidden)
        for now in range(len(out) - 1, -1, -1):
            torch.mul(carried.add_(towards[now]), slope[now], out=given[now])
            carried = given[now] @ matrix
        before = torch.cat([hidden[None], out[:-1]])
        return given, given.flatten(0, 1).t() @ before.flatten(0, 1), carried


class GruScan(torch.autograd.Function):
    """r, z = σ(given + U h), n = tanh(given + r ⊙ (U h + b)), h' = n + z ⊙ (h − n).

    given (T, B, 3C) in the order r, z, n; U (3C, C), its bias (3C), h (B, C) → all h, (T, B, C).
    """

    @staticmethod
    def forward(ctx: FunctionCtx, given: Tensor, matrix: Tensor, bias: Tensor, hidden: Tensor) -> Tensor:
        length, lanes, _ = given.shape
        width = hidden.shape[1]
        out, recalled, new = (given.new_empty(length, lanes, width) for _ in range(3))
        gates = given.new_empty(length, lanes, 2 * width)
        last, turned = hidden, matrix.t()
        for now in range(length):
            share = torch.addmm(bias, last, turned)
            recalled[now] = share[:, 2 * width :]
            torch.add(given[now, :, : 2 * width], share[:, : 2 * width], out=gates[now]).sigmoid_()
            reset, update = gates[now].chunk(2, dim=1)
            torch.addcmul(given[now, :, 2 * width :], reset, recalled[now], out=new[now]).tanh_()
            last = torch.lerp(new[now], last, update, out=out[now])
        ctx.save_for_backward(out, recalled, new, gates, matrix, hidden)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, towards: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        out, recalled, new, gates, matrix, hidden = ctx.saved_tensors
        length, lanes, width = out.shape
        before = torch.cat([hidden[None], out[:-1]])
        reset, update = gates.chunk(2, dim=2)
        # what h' moves by, for what each gate's sum is moved by: towards n's own sum, then the shares of U h
        to_new = (1 - update) * (1 - new.square())
        to_shares = torch.stack(
            [to_new * recalled * reset * (1 - reset), (before - new) * update * (1 - update), to_new * reset], dim=2
        )
        whole = torch.empty_like(out)
        shares = torch.empty_like(to_shares)  # (T, B, 3, C)
        carried = torch.zeros_like(hidden)
        for now in range(length - 1, -1, -1):
            torch.add(towards[now], carried, out=whole[now])
            torch.mul(whole[now][:, None], to_shares[now], out=shares[now])
            carried = torch.addmm(whole[now] * update[now], shares[now].view(lanes, -1), matrix)
        flat = shares.view(length * lanes, 3 * width)
        given = torch.cat([shares[:, :, :2].flatten(2), whole * to_new], dim=2)
        return given, flat.t() @ before.flatten(0, 1), flat.sum(dim=0), carried
