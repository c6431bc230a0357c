"""Layout of weights on disk and in memory: fp32, bf16 or int8, in the panels that `kernels/cpu/model.h` describes.

A panel is 16 rows of a matrix. One line of it has 64 bytes (16 rows × 1 float, 2 bfloat16 or 4 int8 columns), so that
any vector unit reads a matrix sequentially. Each int8 row has a scale, stored next to the matrix as `<name>.scale`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError
from radio.model.spec.rwkv import EMBEDDING, Spec
from radio.model.weights.tensorfile import Tensors

WeightFormat: TypeAlias = Literal["fp32", "bf16", "int8"]
WEIGHT_FORMATS: tuple[WeightFormat, ...] = get_args(WeightFormat)
Array: TypeAlias = npt.NDArray[np.float32]

_PANEL = 16
_GROUP = 32
"""Columns are padded with zeros to a multiple of this."""
_PER_LINE: Mapping[WeightFormat, int] = {"fp32": 1, "bf16": 2, "int8": 4}
_DTYPES: Mapping[WeightFormat, type[np.generic]] = {"fp32": np.float32, "bf16": np.uint16, "int8": np.int8}
_LARGEST = 127
"""Largest magnitude of an int8 weight; −128 is not used, since its negative does not fit."""


def packed_shapes(spec: Spec, weight_format: WeightFormat) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Return shape and dtype of each stored array, in the order that the native engine expects."""
    stored: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {}
    for name, shape in spec.shapes().items():
        if not spec.is_matrix(name):
            stored[name] = (shape, np.float32)
            continue
        *stack, rows, columns = (*shape[:-2], shape[-1], shape[-2]) if spec.is_transposed(name) else shape
        panels, per_line = -(-rows // _PANEL), _PER_LINE[weight_format]
        lines = -(-columns // _GROUP) * _GROUP // per_line
        packed = shape if name == EMBEDDING else (*stack, panels, lines, _PANEL, per_line)
        stored[name] = (packed, _DTYPES[weight_format])
        if weight_format == "int8":
            stored[f"{name}.scale"] = ((*stack, panels * _PANEL), np.float32)
    return stored


@dataclass(frozen=True)
class PackedWeights(Mapping[str, Array]):
    """The arrays of a model in one weight format, and a mapping of names to float32 arrays in natural shape.

    tensors: the arrays as stored, see `packed_shapes`; read-only.
    """

    spec: Spec
    weight_format: WeightFormat
    tensors: Tensors

    def __getitem__(self, name: str) -> Array:
        shape = self.spec.shapes()[name]
        stored = self.tensors[name]
        if not self.spec.is_matrix(name):
            return cast("Array", stored)
        scale = cast("Array", self.tensors[f"{name}.scale"]) if self.weight_format == "int8" else None
        natural = stored if name == EMBEDDING else _from_panels(stored)
        values = _bf16_to_float(natural) if self.weight_format == "bf16" else natural.astype(np.float32)
        if scale is not None:
            values = values * scale[..., : values.shape[-2], None]
        if self.spec.is_transposed(name):
            values = values.swapaxes(-1, -2)
        return np.ascontiguousarray(values[tuple(slice(length) for length in shape)])

    def __iter__(self) -> Iterator[str]:
        return iter(self.spec.shapes())

    def __len__(self) -> int:
        return len(self.spec.shapes())

    def problems(self) -> Iterator[str]:
        """Yield the problems of the arrays: missing or unexpected ones, wrong shapes or dtypes, invalid numbers."""
        expected = packed_shapes(self.spec, self.weight_format)
        missing, extra = sorted(set(expected) - set(self.tensors)), sorted(set(self.tensors) - set(expected))
        if missing or extra:
            yield f"missing {missing[:3]}, unexpected {extra[:3]} for {self.spec} in {self.weight_format}"
            return
        for name, (shape, dtype) in expected.items():
            array = self.tensors[name]
            if array.shape != shape or array.dtype != dtype:
                yield f"{name} has shape {array.shape} of {array.dtype}, not {shape} of {np.dtype(dtype)}"
            elif array.dtype == np.int8:
                if cast("npt.NDArray[np.int8]", array).min() < -_LARGEST:
                    yield f"{name} contains -128; int8 weights are -127 to 127"
            elif not _is_finite(array):
                yield f"{name} contains infinite or NaN values"
            if name.endswith(".weight") and self.spec.is_matrix(name) and not array.any():
                yield f"{name} contains nothing but zeros"


def pack(weights: Mapping[str, Array], spec: Spec, weight_format: WeightFormat) -> PackedWeights:
    """Pack float arrays: bf16 rounded to nearest, int8 with one scale per row, set by its largest weight."""
    tensors: dict[str, npt.NDArray[np.generic]] = {}
    for name in spec.shapes():
        natural = np.asarray(weights[name], np.float32)
        if not spec.is_matrix(name):
            tensors[name] = np.ascontiguousarray(natural)
            continue
        values = natural.swapaxes(-1, -2) if spec.is_transposed(name) else natural
        arrange = (lambda array, _weight_format: array) if name == EMBEDDING else _to_panels
        if weight_format == "int8":
            peak = np.abs(values).max(axis=-1)
            scale = np.where(peak > 0, peak / np.float32(_LARGEST), np.float32(1)).astype(np.float32)
            rounded = np.clip(np.rint(values / scale[..., None]), -_LARGEST, _LARGEST).astype(np.int8)
            tensors[name] = arrange(rounded, weight_format)
            tensors[f"{name}.scale"] = _pad(scale, _PANEL)
        else:
            tensors[name] = arrange(_float_to_bf16(values) if weight_format == "bf16" else values, weight_format)
    return PackedWeights(spec, weight_format, tensors)


def parse_weight_format(name: str) -> WeightFormat:
    """Return `name`. Raise ModelError if it is not a weight format."""
    if name not in WEIGHT_FORMATS:
        raise ModelError(f"unknown weight format {name!r}; use {', '.join(WEIGHT_FORMATS)}")
    return name


def _pad(array: npt.NDArray[np.generic], multiple: int) -> npt.NDArray[np.generic]:
    """Pad the last axis with zeros to a multiple."""
    padding = [(0, 0)] * (array.ndim - 1) + [(0, -array.shape[-1] % multiple)]
    return np.ascontiguousarray(np.pad(array, padding))


def _to_panels(matrix: npt.NDArray[np.generic], weight_format: WeightFormat) -> npt.NDArray[np.generic]:
    """Rearrange (…, rows, columns) as (…, panels, lines, 16, columns of a line)."""
    padded_columns = _pad(matrix, _GROUP)
    padded = _pad(padded_columns.swapaxes(-1, -2), _PANEL).swapaxes(-1, -2)
    *stack, rows, columns = padded.shape
    per_line = _PER_LINE[weight_format]
    lines = padded.reshape(*stack, rows // _PANEL, _PANEL, columns // per_line, per_line)
    return np.ascontiguousarray(lines.swapaxes(-2, -3))


def _from_panels(packed: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    *stack, panels, lines, rows, per_line = packed.shape
    return packed.swapaxes(-2, -3).reshape(*stack, panels * rows, lines * per_line)


def _bf16_to_float(array: npt.NDArray[np.generic]) -> Array:
    return (array.astype(np.uint32) << 16).view(np.float32)


def _float_to_bf16(array: Array) -> npt.NDArray[np.uint16]:
    """Round to nearest, ties to even."""
    bits = np.ascontiguousarray(array).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def _is_finite(array: npt.NDArray[np.generic]) -> bool:
    if array.dtype == np.uint16:
        exponents: npt.NDArray[np.uint16] = cast("npt.NDArray[np.uint16]", array) & np.uint16(0x7F80)
        return bool((exponents != 0x7F80).all())
    return bool(np.isfinite(cast("Array", array)).all())
