"""Recordings that MusicGen generates from words in a separate process, saved in a folder for reuse."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Final

from radio.errors import AudioError
from radio.musicgen.process import Order
from radio.musicgen.weights import MusicGenWeights
from radio.types import ProgressCallback, Seconds
from radio.worker.environment import child_environment
from radio.worker.scratch import ScratchFolder, delete_abandoned

COMMAND: Final = (sys.executable, "-P", "-m", "radio.musicgen.process")

LENGTH: Final[Seconds] = 30.0
"""MusicGen was trained on excerpts of this length."""

TIME_LIMIT: Final[Seconds] = 3600.0
"""Time limit of the process."""

_LIBRARIES: Final = 8 * 2**30
_THREAD: Final = 2**27
"""Address space of PyTorch and of each of its threads, in bytes."""

_COPIES: Final = 4
"""Address space of the weights, as a multiple of their file size: half-precision weights double when loaded."""

_PREFIX: Final = ".radio-musicgen-"
_SLUG: Final = 40
"""Most characters of the words in the name of a file."""

_OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
_THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def path_of(words: str, weights: MusicGenWeights, seed: int, folder: Path) -> Path:
    """Return the path of the saved recording of these words, which depends only on words, weights and seed."""
    key = hashlib.sha256(repr((words, weights.identity, seed, LENGTH)).encode()).hexdigest()[:12]
    slug = "-".join(re.findall(r"\w+", words.lower()))[:_SLUG].strip("-")
    return folder / f"{slug or 'words'}-{key}.wav"


def generate(
    words: str,
    weights: MusicGenWeights,
    *,
    seed: int,
    target: Path,
    on_progress: ProgressCallback,
    length: Seconds = LENGTH,
    time_limit: Seconds = TIME_LIMIT,
    memory: int | None = None,
) -> None:
    """Generate a recording of `words` and write it to `target`, which appears when it is complete.

    Args:
        words: A description; English is understood best.
        weights: The model.
        seed: The same seed gives the same recording on the same machine.
        target: A WAV file; its folder is created.
        on_progress: Called with the completed share of the work, 0–1.
        length: Length of the recording.
        time_limit: Time limit of the process.
        memory: Limit of the process's address space in bytes; None derives it from the weights.

    Raises:
        AudioError: The model cannot be loaded, or time or memory ran out.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        delete_abandoned(_PREFIX, target.parent)
        scratch = ScratchFolder(_PREFIX, target.parent)
    except OSError as error:
        raise AudioError(
            f"MusicGen's recording cannot be saved in {target.parent}: {error.strerror or error}"
        ) from error
    try:
        draft = scratch.path / target.name
        most = memory or _LIBRARIES + _THREAD * (os.cpu_count() or 1) + _COPIES * weights.bytes
        order = Order(words, str(weights.folder), str(draft), length, seed, most)
        _run(order, weights, on_progress, time_limit)
        draft.replace(target)
    finally:
        scratch.delete()


def _run(order: Order, weights: MusicGenWeights, on_progress: ProgressCallback, time_limit: Seconds) -> None:
    """Run the process until it ends. An exception, such as KeyboardInterrupt, kills it."""
    late = threading.Event()
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(os.environ),
            text=True,
            start_new_session=True,  # Ctrl-C then reaches only this process, which kills the child
        ) as process,
    ):

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(time_limit, end)
        timer.start()
        try:
            failure = _follow(process, order, weights, on_progress)
            status = process.wait()
        finally:
            timer.cancel()
            process.kill()
        if late.is_set():
            raise AudioError(f"MusicGen did not finish within {time_limit:g} s; a smaller model is faster")
        if failure is not None:
            raise failure
        if status == -signal.SIGKILL:  # the kernel does this when memory runs out
            raise _short_of(weights)
        if status:
            raise AudioError(f"MusicGen failed with status {status}: {_last_line(errors)}")


def _follow(
    process: subprocess.Popen[str], order: Order, weights: MusicGenWeights, on_progress: ProgressCallback
) -> AudioError | None:
    """Send the order, report progress until the process ends, and return the failure that it reports, if any."""
    if process.stdin is None or process.stdout is None:
        raise OSError("the process has no pipes")
    with contextlib.suppress(BrokenPipeError), process.stdin:  # if it has ended, its status tells more
        json.dump(asdict(order), process.stdin)
    failure: AudioError | None = None
    for line in process.stdout:
        report = json.loads(line)
        if "share" in report:
            on_progress(report["share"])
        else:
            failure = AudioError(f"MusicGen: {report['fault']}") if "fault" in report else _short_of(weights)
    return failure


def _short_of(weights: MusicGenWeights) -> AudioError:
    """Return the error for a process that ran out of memory."""
    return AudioError(
        f"MusicGen ran out of memory with the weights in {weights.folder}, which have {weights.bytes / 1e9:.1f} GB; "
        "free memory, or use a smaller model"
    )


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the process: without network access, and with all cores unless the user limits them."""
    variables = {name: value for name, value in child_environment().items() if name not in _THREADS}
    return variables | {name: inherited[name] for name in _THREADS if name in inherited} | _OFFLINE


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace").strip().rpartition("\n")[2][-500:]
