"""The settings of all tests, and the fixtures that many of them use."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # set before numpy is imported, as the command line does
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's threads would wait for each other on a busy machine

os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="radio-test-states-")  # not the user's own states

os.environ.pop("CI", None)  # or pytest prints whole differences, which takes hours for two strings of audio

import pytest
from hypothesis import HealthCheck, settings

from radio import files
from radio.paths import CHECKPOINTS, SOUNDFONT
from tests.forked_programs import programs_forked, xdist_forked
from tests.tone_station import ToneStation
from tests.web.chromium import browser

__all__ = ["browser"]

# A shell ignores SIGINT for tests in the background, and every program that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine, times of examples mean nothing: no deadline, and no check of the time to draw data.
_EXAMPLES = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("fast", max_examples=25, **_EXAMPLES)  # type: ignore[arg-type]
settings.register_profile("thorough", max_examples=100, **_EXAMPLES)  # type: ignore[arg-type]
settings.load_profile("fast")  # `make test-all` selects the other one

gc.disable()  # until all tests are collected, because imported modules and collected tests stay

WAITING = tuple(f"tests/{folder}" for folder in ("cli", "playback", "push", "server", "terminal", "web", "worker"))
"""Folders whose tests wait for audio in real time."""

Radio = Callable[..., "subprocess.CompletedProcess[bytes]"]


def pytest_configure(config: pytest.Config) -> None:
    """Make xdist's processes share their imports."""
    if getattr(config.option, "numprocesses", None):
        forks = xdist_forked()
        forks.__enter__()
        config.add_cleanup(lambda: forks.__exit__(None, None, None))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests that share something in one xdist process, which creates it once, and mix the others.

    Tests share a fixture of their module, the result of a cached function of their module, or the browser.
    """
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
    if hasattr(config, "workerinput"):  # this is an xdist process
        items.sort(key=lambda item: _place(groups[item] or item.nodeid))


def _group(item: pytest.Item) -> str:
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    if "browser" in definitions:
        return "tests/web"
    if any(fixtures[-1].scope == "module" for fixtures in definitions.values()) or _has_cache(item):
        return item.nodeid.partition("::")[0]
    return ""


def _place(name: str) -> float:
    """Return the place of a test or group in the run, from 0 to 1: random, but the same in all processes.

    Tests that wait run next to those that compute. They come before the end, when no other test is left to compute.
    """
    return zlib.crc32(name.encode()) / 2**32 * (0.8 if name.startswith(WAITING) else 1)


def _has_cache(item: pytest.Item) -> bool:
    """Return whether the item's module has a function with a cache."""
    module = item.module  # type: ignore[attr-defined]
    return any(hasattr(value, "cache_info") and value.__module__ == module.__name__ for value in vars(module).values())


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exclude modules and tests from all later garbage collections."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def files_in_memory() -> None:
    """Read the package's files from copies in memory, as a server's workers do. Copying a soundfont takes 0.1 s."""
    descriptors = {str(path): files.copy(path)[0] for path in (SOUNDFONT, *CHECKPOINTS.glob("*.safetensors"))}
    files.use_copies(descriptors)


@pytest.fixture(scope="session", autouse=True)
def forked_programs() -> Iterator[None]:
    with programs_forked():
        yield


@pytest.fixture
def started_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start programs as users do, with an interpreter that has imported nothing."""
    monkeypatch.setattr("tests.forked_programs.MODULES", frozenset())


@pytest.fixture
def tone() -> ToneStation:
    return ToneStation()


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    """The command `radio`, run as a program in an empty folder."""

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "radio", *arguments]
        settings = {"capture_output": True, "timeout": 120, "cwd": tmp_path, "stdin": subprocess.DEVNULL} | options
        return subprocess.run(command, check=False, **settings)  # type: ignore[call-overload,no-any-return]

    return run
