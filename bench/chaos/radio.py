"""A radio in its own processes, with copies of the files that faults damage."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from radio.paths import CHECKPOINTS, SOUNDFONT

_LIMIT = 120.0
_MODULE = b"radio.worker.main"
_CONFIG = {
    "chill": {"title": "Chill", "progressions": "learned", "seed": 7},
    "study": {"title": "Study", "progressions": "learned", "seed": 8},
}


class Radio:
    """A running `radio serve` with two stations.

    Args:
        folder: The folder for the config, the state, the log and the copied files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.soundfont = folder / "own.sf2"
        self.piano = folder / "piano.safetensors"
        shutil.copy(SOUNDFONT, self.soundfont)
        shutil.copy(CHECKPOINTS / "piano.safetensors", self.piano)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        files = {"soundfont": str(self.soundfont), "piano": str(self.piano)}
        stations = _CONFIG | {"chill": _CONFIG["chill"] | files}
        (folder / "stations.yaml").write_text(yaml.safe_dump({"stations": stations}))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the server."""
        if self._process is None:
            raise RuntimeError("the radio is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until its stations are on the air."""
        command = [sys.executable, "-m", "radio", "serve", "--config", "stations.yaml", "--port", str(self.port)]
        command += ["--state", str(self.folder / "state")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        self._await(lambda: len(self.workers()) > 1)
        self._await(self.is_ready)

    @property
    def worker(self) -> int:
        """The process id of the worker of `chill`, the target of the faults. A stand-in is none."""
        return next(pid for pid in self.workers() if self._has_copy(pid))

    def _has_copy(self, pid: int) -> bool:
        """Return True if a process has a copy of the soundfont, which neither a stand-in nor `study` needs."""
        name = f"/memfd:{self.soundfont.name}"
        try:
            return any(link.readlink().as_posix().startswith(name) for link in Path(f"/proc/{pid}/fd").iterdir())
        except OSError:  # it ends
            return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the server and wait for it to exit. Workers exit on their own."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def is_ready(self) -> bool:
        """Return whether all stations are on the air."""
        try:
            return bool(self.get("readyz")["ok"])
        except OSError:
            return False

    def workers(self) -> list[int]:
        """Return the process ids of the workers, oldest first."""
        children = map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())
        return sorted(child for child in children if _MODULE in Path(f"/proc/{child}/cmdline").read_bytes())

    @property
    def tier(self) -> str:
        """The tier of the station `chill`."""
        return str(self.get("api/stations/chill")["tier"])

    def tiers(self) -> dict[str, float]:
        """Return the seconds for which each tier of the station `chill` was heard since the server started."""
        samples = re.findall(r'radio_tier_seconds_total{station="chill",tier="(\w+)"} (\S+)', self.get_text("metrics"))
        return {tier: float(seconds) for tier, seconds in samples}

    def wait_for(self, tier: str) -> None:
        """Wait until the station `chill` plays `tier`."""
        self._await(lambda: self.tier == tier)

    def _await(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + _LIMIT
        while not condition():
            if time.monotonic() > end or self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"the radio did not reach the expected state; see {self.folder / 'log'}")
            time.sleep(0.1)

    def get(self, path: str) -> Any:
        """Return the JSON value of a response."""
        return json.loads(self.get_text(path))

    def get_text(self, path: str) -> str:
        """Return the text of a response."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=10) as response:
            return str(response.read().decode())
