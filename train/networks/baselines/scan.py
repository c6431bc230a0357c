"""The loops of simple RNN and GRU over time, with hand-written gradients.

In the backward pass, torch's own loops multiply matrices once more per token, to sum the gradient of the recurrent
matrix. Here that is one product for the whole window, and element-wise work is done for the whole window where
possible. (For the LSTM torch has the loop of oneDNN, which is fast.) Shapes: T tokens, B lanes, C width. Time is the
first axis, so that a token's vectors are contiguous. `inputs` is the part of each gate's sum that comes from the input,
biases included.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable


class RnnScan(torch.autograd.Function):
    """h_t = tanh(inputs_t + U h_{t-1}): inputs (T, B, C), U (C, C), h (B, C) → all h, (T, B, C)."""

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, matrix: Tensor, hidden: Tensor) -> Tensor:
        out = torch.empty_like(inputs)
        last, transposed = hidden, matrix.t()
        for now, hidden_now in zip(inputs, out, strict=True):
            last = torch.addmm(now, last, transposed, out=hidden_now).tanh_()
        ctx.save_for_backward(out, matrix, hidden)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, out_gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        out, matrix, hidden = ctx.saved_tensors
        slope = 1 - out.square()
        inputs = torch.empty_like(out)
        carried = torch.zeros_like(hidden)
        for now in range(len(out) - 1, -1, -1):
            torch.mul(carried.add_(out_gradient[now]), slope[now], out=inputs[now])
            carried = inputs[now] @ matrix
        before = torch.cat([hidden[None], out[:-1]])
        return inputs, inputs.flatten(0, 1).t() @ before.flatten(0, 1), carried


class GruScan(torch.autograd.Function):
    """r, z = σ(inputs + U h), n = tanh(inputs + r ⊙ (U h + b)), h' = n + z ⊙ (h − n).

    inputs (T, B, 3C) in the order r, z, n; U (3C, C), its bias (3C), h (B, C) → all h, (T, B, C).
    """

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, matrix: Tensor, bias: Tensor, hidden: Tensor) -> Tensor:
        length, lanes, _ = inputs.shape
        width = hidden.shape[1]
        out, recalled, new = (inputs.new_empty(length, lanes, width) for _ in range(3))
        gates = inputs.new_empty(length, lanes, 2 * width)
        last, transposed = hidden, matrix.t()
        for now in range(length):
            share = torch.addmm(bias, last, transposed)
            recalled[now] = share[:, 2 * width :]
            torch.add(inputs[now, :, : 2 * width], share[:, : 2 * width], out=gates[now]).sigmoid_()
            reset, update = gates[now].chunk(2, dim=1)
            torch.addcmul(inputs[now, :, 2 * width :], reset, recalled[now], out=new[now]).tanh_()
            last = torch.lerp(new[now], last, update, out=out[now])
        ctx.save_for_backward(out, recalled, new, gates, matrix, hidden)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, out_gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        out, recalled, new, gates, matrix, hidden = ctx.saved_tensors
        length, lanes, width = out.shape
        before = torch.cat([hidden[None], out[:-1]])
        reset, update = gates.chunk(2, dim=2)
        # The derivatives of h' with respect to the gates' sums: first n's own sum, then the parts from U h.
        to_new = (1 - update) * (1 - new.square())
        to_shares = torch.stack(
            [to_new * recalled * reset * (1 - reset), (before - new) * update * (1 - update), to_new * reset], dim=2
        )
        whole = torch.empty_like(out)
        shares = torch.empty_like(to_shares)  # (T, B, 3, C)
        carried = torch.zeros_like(hidden)
        for now in range(length - 1, -1, -1):
            torch.add(out_gradient[now], carried, out=whole[now])
            torch.mul(whole[now][:, None], to_shares[now], out=shares[now])
            carried = torch.addmm(whole[now] * update[now], shares[now].view(lanes, -1), matrix)
        flat = shares.view(length * lanes, 3 * width)
        inputs = torch.cat([shares[:, :, :2].flatten(2), whole * to_new], dim=2)
        return inputs, flat.t() @ before.flatten(0, 1), flat.sum(dim=0), carried
