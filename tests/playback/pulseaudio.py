"""A sound card for tests: PulseAudio with a null sink, and a recorder of its monitor."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np

from radio.types import SAMPLE_RATE

_ASOUND = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
_TERMINAL_VARIABLES = {"TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "LANG", "LC_ALL", "LC_CTYPE", "COLUMNS", "LINES"}
"""Variables that describe the terminal of the test run."""
_PLUGIN = "alsa-lib/libasound_module_pcm_pulse.so"


def wait_for(condition: Callable[[], object], event: str, seconds: float = 90) -> None:
    """Wait until `condition` holds; `event` names it in the error."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {event}"
        time.sleep(0.02)


class Pulse:
    """A PulseAudio server with its files in `folder`, and an environment that makes it ALSA's default card."""

    def __init__(self, folder: Path) -> None:
        for program in ("pulseaudio", "pactl", "parec"):
            assert shutil.which(program), f"{program} is missing: scripts/system-packages --tests installs it"
        assert list(Path("/usr/lib").glob(f"*/{_PLUGIN}")), "libasound2-plugins is missing: scripts/system-packages"
        self._folder = folder
        self._socket = folder / "socket"
        (folder / "asound.conf").write_text(_ASOUND, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in _TERMINAL_VARIABLES},
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_COOKIE": str(folder / "cookie"),
        }

    def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        modules = (
            f"module-null-sink sink_name=quiet rate={SAMPLE_RATE}",
            f"module-native-protocol-unix socket={self._socket} auth-anonymous=1",
        )
        command = ["pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no"]
        command += [word for module in modules for word in ("-L", module)]
        home = {"HOME": str(self._folder), "XDG_RUNTIME_DIR": str(self._folder)}
        self._process = subprocess.Popen(
            command, env={**os.environ, **home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._socket.exists, "PulseAudio opens its socket")
        wait_for(lambda: "quiet" in self._pactl("list", "short", "sinks"), "PulseAudio has a sink")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def sink_latency(self) -> float:
        """Return the latency from the sink to its monitor in seconds, as the sink reports it."""
        inputs = self._pactl("list", "sink-inputs")
        (latency,) = re.findall(r"Sink Latency: (\d+) usec", inputs)
        return int(latency) / 1e6

    def _pactl(self, *words: str) -> str:
        return subprocess.run(
            ["pactl", *words], check=False, capture_output=True, text=True, env=self.environment | {"LC_ALL": "C"}
        ).stdout


class Recorder:
    """A recording of the sink's audio, with the arrival time of each piece.

    Args:
        pulse: The server.
        latency: Latency of the recording in ms. If it is low, PulseAudio may lose pieces on a busy machine.
    """

    def __init__(self, pulse: Pulse, *, latency: int = 200) -> None:
        command = [
            "parec",
            "--device=quiet.monitor",
            f"--latency-msec={latency}",
            "--raw",
            "--format=s16le",
            "--channels=2",
        ]
        self._process = subprocess.Popen(
            [*command, f"--rate={SAMPLE_RATE}"], env=pulse.environment, stdout=subprocess.PIPE
        )
        self._pieces: list[bytes] = []
        self._arrivals: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_for(lambda: self._arrivals, "parec records something")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def frames(self) -> np.ndarray:
        """All frames recorded so far, shape (frames, 2), int16."""
        data = b"".join(self._pieces)
        return np.frombuffer(data[: len(data) // 4 * 4], dtype="<i2").reshape(-1, 2)

    def frame_at(self, time: float) -> int:
        """Return the frame that arrived at `time` on the monotonic clock."""
        return max((frame for arrival, frame in list(self._arrivals) if arrival <= time), default=0)

    def time_of(self, frame: int) -> float:
        """Return the time at which `frame` arrived."""
        return min(arrival for arrival, end in list(self._arrivals) if end > frame)

    def loud(self, since: int = 0, threshold: int = 30) -> np.ndarray:
        """Return the numbers of the frames at or after `since` that are louder than `threshold`."""
        return since + np.flatnonzero(np.abs(self.frames[since:].astype(int)).max(axis=1) > threshold)

    def _read(self) -> None:
        assert self._process.stdout is not None
        total = 0
        while data := os.read(self._process.stdout.fileno(), 65_536):
            total += len(data)
            self._pieces.append(data)
            self._arrivals.append((time.monotonic(), total // 4))
