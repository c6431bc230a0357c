"""The WKV operator of RWKV-6 on a CUDA device: the recurrence of `kernels.wkv6_naive`, with the state in registers.

It is a custom operator of torch, so autograd, `torch.compile` and checkpointing support it. Results are bit-identical
for the same shapes and device: there are no atomics, and each sum has a fixed order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kernels.cuda import library
from kernels.cuda.library import HEAD_SIZE, KernelError, Library

CHUNK = 32
"""Tokens between two saved states, as in the compiled kernels."""


def wkv6(  # noqa: PLR0917 - the operator's arguments in the order of the paper
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Run `kernels.wkv6_naive.wkv6_naive` for any T, including 0. Differentiable in all arguments.

    Args:
        r, k, v: (B, T, H, 64), all float32 or all bfloat16; sums are in float32.
        log_w, u, state: converted to float32.

    Returns:
        y in the dtype of r, and the state after the last token in float32.

    Raises:
        ValueError: A shape or dtype is wrong.
        KernelError: The kernels cannot be compiled for the device, or a launch failed.
    """
    _check(r, k, v, log_w, u, state)
    save_states = torch.is_grad_enabled() and any(x.requires_grad for x in (r, k, v, log_w, u, state))
    y, after, _ = _forward(r, k, v, log_w.float(), u.float(), state.float(), save_states)
    return y, after


def splits(heads: int, processors: int) -> int:
    """Return the number of blocks for each of B·H heads, so that each multiprocessor has two blocks if possible."""
    return next((count for count in (1, 2) if heads * count >= 2 * processors), 4)


def _check(r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor) -> None:  # noqa: PLR0917
    if r.ndim != 4 or r.shape[-1] != HEAD_SIZE:
        raise ValueError(f"r has shape {tuple(r.shape)}; use (batch, tokens, heads, {HEAD_SIZE})")
    batch, _, heads, size = r.shape
    shapes = {"k": r.shape, "v": r.shape, "log_w": r.shape, "u": (heads, size), "state": (batch, heads, size, size)}
    for (name, shape), tensor in zip(shapes.items(), (k, v, log_w, u, state), strict=True):
        if tensor.shape != shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}; r requires {tuple(shape)}")
    if r.dtype not in {torch.float32, torch.bfloat16} or k.dtype != r.dtype or v.dtype != r.dtype:
        raise ValueError(f"r, k, v are {r.dtype}, {k.dtype}, {v.dtype}; use float32 for all, or bfloat16 for all")


def _library(tensor: Tensor) -> tuple[Library, int]:
    """Return the kernels for the device of a tensor, and the number of blocks per head."""
    if not tensor.is_cuda:
        raise KernelError(f"the CUDA kernels do not support tensors on {tensor.device}; use train.operators.wkv6")
    index = tensor.get_device()
    processors = torch.cuda.get_device_properties(index).multi_processor_count
    return library.open_library(index), splits(tensor.shape[0] * tensor.shape[2], processors)


def _aligned(tensor: Tensor) -> Tensor:
    """Return the tensor, contiguous and aligned to 16 bytes as the kernels require."""
    tensor = tensor.contiguous()
    return tensor if tensor.data_ptr() % 16 == 0 else tensor.clone()


def _empty_states(r: Tensor, chunks: int) -> Tensor:
    batch, _, heads, size = r.shape
    return r.new_empty((batch, heads, chunks, size, size), dtype=torch.float32)


def _chunk_count(r: Tensor) -> int:
    return -(-r.shape[1] // CHUNK)


@torch.library.custom_op("radio::wkv6_forward", mutates_args=())
def _forward(  # noqa: PLR0917
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor, save_states: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return y, the state after the last token, and the states before each chunk (empty unless `save_states`)."""
    kernels, head_splits = _library(r)
    inputs = tuple(map(_aligned, (r, k, v, log_w, u, state)))
    y, after, saved = _forward_shapes(r, k, v, log_w, u, state, save_states)
    kernels.forward(inputs, y, after, saved if save_states else None, head_splits)
    return y, after, saved


@_forward.register_fake
def _forward_shapes(r: Tensor, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    *_, state, save_states = arguments
    return r.new_empty(r.shape), state.new_empty(state.shape), _empty_states(r, _chunk_count(r) if save_states else 0)


@torch.library.custom_op("radio::wkv6_backward", mutates_args=())
def _backward(  # noqa: PLR0917
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, saved: Tensor, dy: Tensor, dafter: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients of r, k, v, log_w, u and the state."""
    kernels, head_splits = _library(r)
    inputs = tuple(map(_aligned, (r, k, v, log_w, u, saved, dy, dafter)))
    dr, dk, dv, dlog_w, dstate, state_gradients = (x.new_empty(x.shape) for x in (r, k, v, log_w, dafter, saved))
    batch, _, heads, size = r.shape
    du = u.new_empty((batch, _chunk_count(r), heads, size))
    kernels.backward(inputs, (dr, dk, dv, dlog_w, du, dstate, state_gradients), head_splits)
    return dr, dk, dv, dlog_w, du.sum((0, 1)), dstate


@_backward.register_fake
def _backward_shapes(*inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    dr, dk, dv, dlog_w, du, _, _, dstate = (x.new_empty(x.shape) for x in inputs)
    return dr, dk, dv, dlog_w, du, dstate


def _save_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    r, k, v, log_w, u, _, _ = inputs
    ctx.mark_non_differentiable(output[2])
    ctx.save_for_backward(r, k, v, log_w, u, output[2])


def _gradients(ctx: Any, dy: Tensor, dafter: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    return (*_backward(*ctx.saved_tensors, dy, dafter), None)


_forward.register_autograd(_gradients, setup_context=_save_for_backward)
