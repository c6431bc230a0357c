"""The cost of a listener on the radio's server and on Icecast: the same Opus stream, in turn, in one run.

Each server gets one listener and then many; the result is the difference per additional listener. The radio also gets a
crowd. Both serve a burst of `BURST` seconds. Icecast gets the stream from ffmpeg, repacked into ffmpeg's default pages
of one second: one write per second to each listener, the minimum for Icecast.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.measurement import BenchmarkSetup, Measurement
from bench.process import processor_time, resident
from radio.errors import ServerError
from radio.types import Seconds

MANY = 2_000
CROWD = 10_000
_OTHER_FILES = 500
"""File descriptors reserved for everything except listeners."""
BURST: Seconds = 22.0
_RATE = 96_000 // 8
_STARTING: Seconds = 120.0
_ICECAST = """<icecast>
  <limits><clients>{clients}</clients><sources>2</sources><queue-size>{queue}</queue-size>
    <burst-size>{burst}</burst-size><burst-on-connect>1</burst-on-connect><source-timeout>10</source-timeout></limits>
  <authentication><source-password>hackme</source-password><admin-user>a</admin-user>
    <admin-password>b</admin-password></authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths><basedir>{folder}</basedir><logdir>{folder}</logdir><webroot>{folder}</webroot><adminroot>{folder}</adminroot>
    <pidfile>{folder}/pid</pidfile></paths>
  <logging><accesslog>-</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>
  <security><chroot>0</chroot>{owner}</security>
</icecast>
"""


@dataclass(frozen=True, slots=True)
class Load:
    """The load of a server with a number of listeners."""

    processor: float
    """Processor seconds per second."""
    memory: float
    """Resident bytes at the end."""
    throughput: float
    """Bytes per second to each listener."""
    report: dict[str, float]
    """The report of `bench.clients`."""


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Serve one and then many listeners for half a minute each, with the radio's server and with Icecast.

    Raises:
        ServerError: A server does not start, or `icecast2` is not installed.
    """
    if not (program := shutil.which("icecast2")):
        raise ServerError("icecast2 is not installed; run scripts/system-packages --tests")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    effort, seconds = min(1.0, setup.effort), max(3.0, 30 * setup.effort)
    many, crowd = max(50, round(MANY * effort)), max(100, min(round(CROWD * effort), hard - _OTHER_FILES))
    with _front(setup) as (front, port):
        path = f"/{setup.station.name}.opus"
        ours = [_load(front, port, f"{path}?burst={BURST:g}", count, seconds) for count in (1, many)]
        crowded = _load(front, port, f"{path}?burst={BURST:g}", crowd, seconds)
        with _icecast(program, f"http://127.0.0.1:{port}{path}", many) as (icecast, its_port):
            theirs = [_load(icecast, its_port, "/radio.opus", count, seconds) for count in (1, many)]
    (cpu, memory), (its_cpu, its_memory) = _each_more(ours, many, seconds), _each_more(theirs, many, seconds)
    yield Measurement(
        f"processor time of one more listener, of {many:,}: the radio against Icecast",
        cpu / its_cpu,
        "×",
        1,
        at_most=True,
        absolute=f"{1e6 * cpu:.1f} and {1e6 * its_cpu:.1f} µs per second",
    )
    yield Measurement(
        "memory of one more listener",
        memory / 1_000,
        "kB",
        20,
        at_most=True,
        absolute=f"Icecast {its_memory / 1_000:.1f} kB",
    )
    for name, (one, all_) in (("the radio", ours), ("Icecast", theirs)):
        yield Measurement(
            f"processor time of {name} with {many:,} listeners",
            100 * all_.processor,
            "% of a core",
            absolute=f"{100 * one.processor:.2f} % with one; {all_.throughput / 1_000:.1f} kB per second to each",
        )
        yield _underruns(f"of {name}", all_, 0 if all_ is ours[1] else None)
    yield Measurement(
        f"processor time of the radio with {crowd:,} listeners",
        100 * crowded.processor,
        "% of a core",
        absolute=f"{crowded.throughput / 1_000:.1f} kB per second to each",
    )
    yield _underruns(f"of {crowd:,} of the radio", crowded, 0)


def _underruns(whose: str, load: Load, target: float | None) -> Measurement:
    """Return the number of listeners that had nothing to play or were disconnected."""
    return Measurement(
        f"underruns: listeners {whose} that starved or were disconnected",
        load.report["starved"] + load.report["ended"],
        "",
        target,
        at_most=True,
        absolute=f"the least buffered audio of a listener was {load.report['least']:.1f} s",
    )


def _each_more(loads: list[Load], many: int, seconds: Seconds) -> tuple[float, float]:
    """Return the processor seconds per second and the bytes of each additional listener.

    A short run may take less processor time than the kernel's clock resolves; then the resolution is used.
    """
    one, all_ = loads
    resolution = 1 / os.sysconf("SC_CLK_TCK") / seconds
    processor = max(all_.processor - one.processor, resolution)
    return processor / (many - 1), (all_.memory - one.memory) / (many - 1)


@contextlib.contextmanager
def _front(setup: BenchmarkSetup) -> Iterator[tuple[int, int]]:
    """Start `radio serve`; yield its process id and port."""
    command = [
        sys.executable,
        "-m",
        "radio",
        "serve",
        "--config",
        str(setup.config),
        "--port",
        "0",
        "--host",
        "127.0.0.1",
    ]
    with _running(command, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None  # noqa: S101  # stdout is a pipe
        for line in program.stdout:
            if line.strip().endswith(f"/{setup.station.name}.opus"):
                time.sleep(BURST + 3)  # the burst must be full
                yield program.pid, int(line.rsplit(":", 1)[1].partition("/")[0])
                return
    raise ServerError("`radio serve` did not start")


@contextlib.contextmanager
def _icecast(program: str, source: str, many: int) -> Iterator[tuple[int, int]]:
    """Start an Icecast with `source` as /radio.opus; yield its process id and port."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # Icecast drops root privileges
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        owner = "<changeowner><user>daemon</user><group>daemon</group></changeowner>" if os.getuid() == 0 else ""
        burst = round(BURST * _RATE)
        text = _ICECAST.format(clients=many + 50, queue=8 * burst, burst=burst, port=port, folder=folder, owner=owner)
        settings = Path(folder) / "icecast.xml"
        settings.write_text(text, encoding="utf-8")
        feed = ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "ogg", "-content_type", "application/ogg"]
        with _running([program, "-c", str(settings)]) as icecast:
            _wait_for_port(port)
            with _running([*feed, f"icecast://source:hackme@127.0.0.1:{port}/radio.opus"]):
                time.sleep(BURST + 3)  # the burst must be full
                yield icecast.pid, port


@contextlib.contextmanager
def _running(command: list[str], stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, text=True
    ) as program:
        try:
            yield program
        finally:
            program.terminate()


def _wait_for_port(port: int) -> None:
    end = time.monotonic() + _STARTING
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise ServerError("icecast2 did not start")


def _load(pid: int, port: int, path: str, count: int, seconds: Seconds) -> Load:
    """Measure a server for `seconds`, after `count` listeners have their bursts."""
    command = [sys.executable, "-m", "bench.clients", "127.0.0.1", str(port), path, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
        assert clients.stdin is not None  # noqa: S101  # stdin and stdout are pipes
        assert clients.stdout is not None  # noqa: S101
        answer, _, received = clients.stdout.readline().partition(" ")
        if answer != "ready":
            raise ServerError("the listeners were not served")
        before, began = processor_time(pid), time.monotonic()
        time.sleep(seconds)
        used, took = processor_time(pid) - before, time.monotonic() - began
        memory = resident(pid) * 2**20
        clients.stdin.write("enough\n")
        clients.stdin.flush()
        report = json.loads(clients.stdout.readline())
    return Load(used / took, memory, (report["bytes"] - int(received)) / took / count, report)
