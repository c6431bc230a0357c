"""Basic Pitch, a small convolutional network that detects notes and their onsets in a recording of any instrument.

Source: Bittner et al., "A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and Multipitch
Estimation" (ICASSP 2022). The weights are those of the package basic-pitch (Apache 2.0), whose code needs TensorFlow
and is not used.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radio.errors import AudioError
from radio.types import Seconds

RATE: Final = 22_050
"""Sample rate of the network's input, in Hz."""

HOP: Final = 256
FRAME: Final[Seconds] = HOP / RATE
LOWEST: Final = 21
"""MIDI note of the first column, the lowest of a piano."""

_WINDOW: Final = 43_844
"""Samples per input of the network."""

_EDGE: Final = 15
"""Frames at both ends of a window that lack context and are discarded."""

_USED: Final = 142
"""Frames of a window that are used."""

_INPUT: Final = "serving_default_input_2:0"
_SOUNDING: Final = "StatefulPartitionedCall:1"
_BEGINNING: Final = "StatefulPartitionedCall:2"

Frames = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Activations:
    """The probabilities that each note of a piano sounds, and that it begins; both have shape (frames, 88)."""

    sounding: Frames
    beginning: Frames


class Network:
    """The Basic Pitch network.

    Raises:
        AudioError: onnxruntime is not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("onnxruntime") is None:
            raise AudioError(
                "to transcribe a recording, the radio needs onnxruntime, which is not installed: "
                "pip install 'lofi-radio-daemon[audio]'. MIDI files do not need it"
            )
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        weights = files("radio.transcription") / "weights" / "basic-pitch.onnx"
        self._session: Any = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def listen(self, mono: Frames) -> Activations:
        """Return the activations for mono audio at 22,050 Hz, one frame per `HOP` samples."""
        count = -(-len(mono) // HOP)
        step = _USED * HOP
        windows = -(-count // _USED)
        padded = np.pad(mono, (_EDGE * HOP, max(0, windows * step + _WINDOW - len(mono))))
        outputs = [
            self._session.run([_SOUNDING, _BEGINNING], {_INPUT: padded[None, start : start + _WINDOW, None]})
            for start in range(0, windows * step, step)
        ]
        sounding, beginning = (
            np.concatenate([window[place][0, _EDGE : _EDGE + _USED] for window in outputs])[:count] for place in (0, 1)
        )
        return Activations(sounding, beginning)
