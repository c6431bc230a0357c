"""The process that runs MusicGen: `python -m radio.musicgen.process` reads an order as JSON from standard input.

`radio.musicgen.generating` starts it. It reports in JSON objects, one per line, on its original standard output:
{"share": 0.25} while it works, {"fault": "reason"} if the model cannot be used, and {"memory": true} if memory runs
out. Only this module imports PyTorch and Transformers.

Source: Copet et al., "Simple and Controllable Music Generation" (NeurIPS 2023).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

_GUIDANCE: Final = 3.0
"""Weight of the words, as used by the authors of MusicGen."""

_OUT_OF_MEMORY_SCORE: Final = 900
"""Makes the kernel kill this process before anything on the air if memory runs out (proc(5), oom_score_adj)."""

_SHORT_OF_MEMORY: Final = ("allocate memory", "failed to map segment")
"""Phrases in the errors of PyTorch and of the dynamic linker, which have no exception class for this."""

Report = Callable[[dict[str, object]], None]


@dataclass(frozen=True, slots=True)
class Order:
    """A recording to generate: words, folder of weights, target, length, seed, and limit of address space in bytes."""

    words: str
    weights: str
    target: str
    seconds: float
    seed: int
    memory: int


class _Progress:
    """A stopping criterion that is called after each token: it reports the generated share and never stops."""

    def __init__(self, tokens: int, report: Report) -> None:
        self._tokens, self._report = tokens, report

    def __call__(self, ids: Any, _scores: object, **_: object) -> bool:
        count = ids.shape[1]
        if count % max(1, self._tokens // 100) == 0:
            self._report({"share": min(1.0, round(count / self._tokens, 3))})
        return False


def main() -> None:
    """Entry point of `python -m radio.musicgen.process`."""
    order = Order(**json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_AS, (order.memory, order.memory))
    with contextlib.suppress(OSError):  # not every system has this file
        Path("/proc/self/oom_score_adj").write_text(str(_OUT_OF_MEMORY_SCORE))
    with os.fdopen(os.dup(1), "w") as reports:
        os.dup2(2, 1)  # libraries may print to stdout, which is for reports only

        def report(fields: dict[str, object]) -> None:
            print(json.dumps(fields), file=reports, flush=True)

        try:
            _write(order, report)
        except (ImportError, KeyError, MemoryError, OSError, RuntimeError, ValueError) as error:
            short = isinstance(error, MemoryError) or any(words in str(error) for words in _SHORT_OF_MEMORY)
            report({"memory": True} if short else {"fault": " ".join(str(error).split()) or repr(error)})


def _write(order: Order, report: Report) -> None:
    """Generate the recording and write it as a 16-bit WAV file."""
    import torch
    from transformers import AutoProcessor, MusicgenForConditionalGeneration, StoppingCriteriaList

    processor = AutoProcessor.from_pretrained(order.weights, local_files_only=True)
    model: Any = MusicgenForConditionalGeneration.from_pretrained(
        order.weights, local_files_only=True, use_safetensors=True
    )
    codec = model.config.audio_encoder
    # Each codebook starts one frame after the previous one, so the last one ends that many frames later.
    tokens = round(order.seconds * codec.frame_rate) + model.config.decoder.num_codebooks
    torch.manual_seed(order.seed)
    with torch.inference_mode():
        sound = model.generate(
            **processor(text=[order.words], padding=True, return_tensors="pt"),
            do_sample=True,
            guidance_scale=_GUIDANCE,
            max_new_tokens=tokens,
            stopping_criteria=StoppingCriteriaList([_Progress(tokens, report)]),
        )[0]
    samples = sound.to(torch.float32).numpy()[:, : round(order.seconds * codec.sampling_rate)]
    pcm = np.round(32_767 * np.clip(np.nan_to_num(samples), -1, 1)).astype("<i2")
    with wave.open(order.target, "wb") as file:
        file.setparams((len(pcm), 2, codec.sampling_rate, 0, "NONE", ""))
        file.writeframes(pcm.T.tobytes())


if __name__ == "__main__":
    main()
