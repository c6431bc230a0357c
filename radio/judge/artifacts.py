"""DNSMOS, a learned measure of noise and distortion. It was trained on speech, so only differences are meaningful.

Source: Reddy, Gopal and Cutler, "DNSMOS P.835" (ICASSP 2022). The weights come in the package speechmos (MIT license);
its code, which needs librosa and pandas, is not used.
"""

from __future__ import annotations

import importlib.util
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radio.errors import JudgeError
from radio.judge.spectrogram import RATE

_LENGTH: Final = int(9.01 * RATE)
"""Samples per input of the network."""
_HOP: Final = RATE
_SIGNAL: Final = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND: Final = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL: Final = (-0.06766283, 1.11546468, 0.04602535)
"""Polynomials from the network's outputs to opinion scores, from `speechmos/dnsmos.py`."""


class Artifacts(NamedTuple):
    """Opinion scores from 1 (bad) to 5 (excellent): distortion of the signal, background noise, and overall."""

    signal: float
    background: float
    overall: float


class Dnsmos:
    """The DNSMOS network.

    Raises:
        JudgeError: speechmos or onnxruntime is not installed.
    """

    def __init__(self) -> None:
        missing = [name for name in ("speechmos", "onnxruntime") if importlib.util.find_spec(name) is None]
        if missing:
            names = " and ".join(missing)
            raise JudgeError(f"artifacts need {names} (not installed): pip install 'lofi-radio-daemon[artifacts]'")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        network = files("speechmos") / "dnsmos_models" / "sig_bak_ovr.onnx"
        self._session: Any = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])

    def judge(self, mono: npt.NDArray[np.float32]) -> Artifacts:
        """Return the mean scores of mono audio at 16 kHz, over windows of 9 s, one per second.

        Shorter audio is repeated to fill a window.

        Raises:
            JudgeError: There is no audio.
        """
        if not len(mono):
            raise JudgeError("there is no audio to judge")
        if len(mono) < _LENGTH:
            mono = np.tile(mono, -(-_LENGTH // len(mono)))
        windows = np.lib.stride_tricks.sliding_window_view(np.clip(mono, -1, 1), _LENGTH)[::_HOP]
        raw = np.array([self._session.run(None, {"input_1": window[None]})[0][0] for window in windows])
        scores = [np.polyval(curve, raw[:, i]).mean() for i, curve in enumerate((_SIGNAL, _BACKGROUND, _OVERALL))]
        return Artifacts(*map(float, scores))
