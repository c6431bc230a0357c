"""RWKV-6's WKV operator on a CUDA device: `kernels.wkv6_naive`'s recurrence, in kernels that stay with the state.

A custom operator of torch, so that autograd, `torch.compile` and checkpointing know it. Results are the same bits
whenever shapes and device are: no atomics, every sum has its order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kernels.cuda import library
from kernels.cuda.library import HEAD_SIZE, KernelError, Library

CHUNK = 32
"""Tokens from one saved state to the next; the compiled kernels must agree."""


def wkv6_cuda(  # noqa: PLR0917 - the operator's arguments in the order of the paper
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """As `kernels.wkv6_naive.wkv6_naive`, for any T, 0 too; gradients for every argument.

    Args:
        r, k, v: (B, T, H, 64), all float32 or all bfloat16; sums are float32 in either case.
        log_w, u, state: computed with in float32.

    Returns:
        y in the dtype of r, and the state in float32.

    Raises:
        ValueError: shapes or dtypes are not these.
        KernelError: the kernels cannot be compiled for the device, or CUDA refused a launch.
    """
    _check(r, k, v, log_w, u, state)
    saving = torch.is_grad_enabled() and any(x.requires_grad for x in (r, k, v, log_w, u, state))
    y, after, _ = _forward(r, k, v, log_w.float(), u.float(), state.float(), saving)
    return y, after


def splits(heads: int, processors: int) -> int:
    """Into how many blocks to cut each of B·H heads, so that every multiprocessor has two blocks if it can be."""
    return next((count for count in (1, 2) if heads * count >= 2 * processors), 4)


def _check(r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor) -> None:  # noqa: PLR0917
    if r.ndim != 4 or r.shape[-1] != HEAD_SIZE:
        raise ValueError(f"r is {tuple(r.shape)}, where (batch, tokens, heads, {HEAD_SIZE}) is needed")
    batch, _, heads, size = r.shape
    wanted = {"k": r.shape, "v": r.shape, "log_w": r.shape, "u": (heads, size), "state": (batch, heads, size, size)}
    for (name, shape), tensor in zip(wanted.items(), (k, v, log_w, u, state), strict=True):
        if tensor.shape != shape:
            raise ValueError(f"{name} is {tuple(tensor.shape)}, where r makes it {tuple(shape)}")
    if r.dtype not in {torch.float32, torch.bfloat16} or k.dtype != r.dtype or v.dtype != r.dtype:
        raise ValueError(f"r, k, v are {r.dtype}, {k.dtype}, {v.dtype}; all must be float32, or all bfloat16")


def _library(tensor: Tensor) -> tuple[Library, int]:
    """The kernels for where a tensor lies, and how to cut its heads."""
    if not tensor.is_cuda:
        raise KernelError(
            f"tensors on {tensor.device} are not for CUDA's kernels: train.operators.wkv6 takes them anywhere"
        )
    index = tensor.get_device()
    processors = torch.cuda.get_device_properties(index).multi_processor_count
    return library.on_device(index), splits(tensor.shape[0] * tensor.shape[2], processors)


def _dense(tensor: Tensor) -> Tensor:
    """The same numbers, without gaps and from 16 bytes on, as the kernels read them."""
    tensor = tensor.contiguous()
    return tensor if tensor.data_ptr() % 16 == 0 else tensor.clone()


def _states(r: Tensor, chunks: int) -> Tensor:
    batch, _, heads, size = r.shape
    return r.new_empty((batch, heads, chunks, size, size), dtype=torch.float32)


def _chunks(r: Tensor) -> int:
    return -(-r.shape[1] // CHUNK)


@torch.library.custom_op("radio::wkv6_forward", mutates_args=())
def _forward(  # noqa: PLR0917
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, state: Tensor, saving: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Y, the state after the last token, the states before each chunk (none unless `saving`)."""
    kernels, cut = _library(r)
    inputs = tuple(map(_dense, (r, k, v, log_w, u, state)))
    y, after, saved = _forward_shapes(r, k, v, log_w, u, state, saving)
    kernels.forward(inputs, y, after, saved if saving else None, cut)
    return y, after, saved


@_forward.register_fake
def _forward_shapes(r: Tensor, *others: Any) -> tuple[Tensor, Tensor, Tensor]:
    *_, state, saving = others
    return r.new_empty(r.shape), state.new_empty(state.shape), _states(r, _chunks(r) if saving else 0)


@torch.library.custom_op("radio::wkv6_backward", mutates_args=())
def _backward(  # noqa: PLR0917
    r: Tensor, k: Tensor, v: Tensor, log_w: Tensor, u: Tensor, saved: Tensor, dy: Tensor, dafter: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradients of r, k, v, log_w, u and the state."""
    kernels, cut = _library(r)
    inputs = tuple(map(_dense, (r, k, v, log_w, u, saved, dy, dafter)))
    dr, dk, dv, dlog_w, dstate, arriving = (x.new_empty(x.shape) for x in (r, k, v, log_w, dafter, saved))
    batch, _, heads, size = r.shape
    du = u.new_empty((batch, _chunks(r), heads, size))
    kernels.backward(inputs, (dr, dk, dv, dlog_w, du, dstate, arriving), cut)
    return dr, dk, dv, dlog_w, du.sum((0, 1)), dstate


@_backward.register_fake
def _backward_shapes(*inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    dr, dk, dv, dlog_w, du, _, _, dstate = (x.new_empty(x.shape) for x in inputs)
    return dr, dk, dv, dlog_w, du, dstate


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    r, k, v, log_w, u, _, _ = inputs
    ctx.mark_non_differentiable(output[2])
    ctx.save_for_backward(r, k, v, log_w, u, output[2])


def _gradients(ctx: Any, dy: Tensor, dafter: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    return (*_backward(*ctx.saved_tensors, dy, dafter), None)


_forward.register_autograd(_gradients, setup_context=_keep)
