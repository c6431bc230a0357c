"""What a listener costs the front, and what it costs Icecast: the same Opus stream, in turn, in one run.

Each server gets one listener and then many; the difference, for each one more, is what counts. Both serve a burst of
`BURST` seconds. Icecast is fed by ffmpeg, which repacks our stream, with its default pages of one second: one write a
second to each listener, which is the least that Icecast can do.
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
from bench.process import resident
from radio.errors import ServerError
from radio.types import Seconds

MANY = 2_000
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
    """What one server did for one audience."""

    processor: float
    """Seconds of processor time in a second."""
    memory: float
    """Resident bytes at the end."""
    pace: float
    """Bytes a second that each listener got."""
    report: dict[str, float]


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Serve one and then many listeners for half a minute each, with the front and with Icecast.

    Raises:
        ServerError: A server does not start, or `icecast2` is not installed.
    """
    if not (program := shutil.which("icecast2")):
        raise ServerError("there is no icecast2 to compare with: scripts/system-packages --tests installs it")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    many, seconds = max(50, round(MANY * min(1.0, setup.effort))), max(3.0, 30 * setup.effort)
    with _front(setup) as (front, port):
        path = f"/{setup.station.name}.opus"
        ours = [_load(front, port, f"{path}?burst={BURST:g}", count, seconds) for count in (1, many)]
        with _icecast(program, f"http://127.0.0.1:{port}{path}", many) as (icecast, its_port):
            theirs = [_load(icecast, its_port, "/radio.opus", count, seconds) for count in (1, many)]
    (cpu, memory), (its_cpu, its_memory) = _each_more(ours, many), _each_more(theirs, many)
    yield Measurement(
        f"processor of one listener more, of {many:,}: the front to Icecast",
        cpu / its_cpu,
        "×",
        2,
        at_most=True,
        absolute=f"{1e6 * cpu:.1f} and {1e6 * its_cpu:.1f} µs a second",
    )
    yield Measurement(
        "memory of one listener more, in the front",
        memory / 1_000,
        "kB",
        20,
        at_most=True,
        absolute=f"Icecast {its_memory / 1_000:.1f} kB",
    )
    for name, (one, all_) in (("the front", ours), ("Icecast", theirs)):
        yield Measurement(
            f"processor of {name} with {many:,} listeners",
            100 * all_.processor,
            "% of a core",
            absolute=f"{100 * one.processor:.2f} % with one; {all_.pace / 1_000:.1f} kB a second went to each",
        )
        lost = all_.report["starved"] + all_.report["ended"]
        target = 0 if all_ is ours[1] else None
        hand = f"the least that one had in hand was {all_.report['least']:.1f} s of audio"
        what = f"underruns: listeners of {name} that starved or were lost"
        yield Measurement(what, lost, "", target, at_most=True, absolute=hand)


def _each_more(loads: list[Load], many: int) -> tuple[float, float]:
    """Seconds of processor in a second, and bytes, that each listener but the first takes."""
    one, all_ = loads
    return (all_.processor - one.processor) / (many - 1), (all_.memory - one.memory) / (many - 1)


@contextlib.contextmanager
def _front(setup: BenchmarkSetup) -> Iterator[tuple[int, int]]:
    """Process and port of `radio serve`."""
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
        assert program.stdout is not None  # noqa: S101  # a pipe was asked for
        for line in program.stdout:
            if line.strip().endswith(f"/{setup.station.name}.opus"):
                time.sleep(BURST + 3)  # there must be as much to give
                yield program.pid, int(line.rsplit(":", 1)[1].partition("/")[0])
                return
    raise ServerError("radio serve did not come on the air")


@contextlib.contextmanager
def _icecast(program: str, source: str, many: int) -> Iterator[tuple[int, int]]:
    """Process and port of an Icecast that carries `source` as /radio.opus."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # Icecast gives up being root
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        owner = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>" if os.getuid() == 0 else ""
        burst = round(BURST * _RATE)
        text = _ICECAST.format(clients=many + 50, queue=8 * burst, burst=burst, port=port, folder=folder, owner=owner)
        settings = Path(folder) / "icecast.xml"
        settings.write_text(text, encoding="utf-8")
        feed = ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "ogg", "-content_type", "application/ogg"]
        with _running([program, "-c", str(settings)]) as icecast:
            _until_it_answers(port)
            with _running([*feed, f"icecast://source:hackme@127.0.0.1:{port}/radio.opus"]):
                time.sleep(BURST + 3)  # its burst must fill first
                yield icecast.pid, port


@contextlib.contextmanager
def _running(command: list[str], stdout: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, text=True) as it:
        try:
            yield it
        finally:
            it.terminate()


def _until_it_answers(port: int) -> None:
    end = time.monotonic() + _STARTING
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise ServerError("icecast2 does not start")


def _load(pid: int, port: int, path: str, count: int, seconds: Seconds) -> Load:
    """Have `count` listeners served, and once all have their burst, measure for `seconds`."""
    command = [sys.executable, "-m", "bench.clients", "127.0.0.1", str(port), path, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as audience:
        assert audience.stdin is not None  # noqa: S101  # pipes were asked for
        assert audience.stdout is not None  # noqa: S101
        said, _, received = audience.stdout.readline().partition(" ")
        if said != "ready":
            raise ServerError("the listeners were not served")
        before, began = _processor(pid), time.monotonic()
        time.sleep(seconds)
        used, took = _processor(pid) - before, time.monotonic() - began
        memory = resident(pid) * 2**20
        audience.stdin.write("enough\n")
        audience.stdin.flush()
        report = json.loads(audience.stdout.readline())
    return Load(used / took, memory, (report["bytes"] - int(received)) / took / count, report)


def _processor(pid: int) -> Seconds:
    """Processor time that a process has used, in the kernel too."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
